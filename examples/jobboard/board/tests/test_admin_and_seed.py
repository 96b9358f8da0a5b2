"""The admin, which writes past the services, and the seed."""

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import User
from board import caching
from board.management.commands import seed
from board.models import Application, Company, Job, Skill
from board.tests.world import assert_problem

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(world):
    world.root.is_staff = True
    world.root.save()
    client = Client()
    client.force_login(world.root)
    return client


@pytest.fixture
def generations(django_capture_on_commit_callbacks):
    """Return a function that says whether a call began a new generation."""

    def begins(call):
        before = caching.generation()
        with django_capture_on_commit_callbacks(execute=True):
            assert call().status_code == 302
        return caching.generation() != before

    return begins


def test_a_job_changed_in_the_admin_is_new_for_caches_and_etags(
    world, admin, generations
):
    client = world.client(world.staff)
    address = f"/api/jobs/{world.job.pk}/"
    etag = client.get(address).headers["ETag"]
    form = {"company": world.company.pk, "title": "Changed", "is_open": "on"}
    page = f"/admin/board/job/{world.job.pk}/change/"
    assert generations(lambda: admin.post(page, form))
    world.job.refresh_from_db()
    assert (world.job.title, world.job.version) == ("Changed", 2)
    response = client.patch(
        address, {"title": "X"}, format="json", headers={"If-Match": etag}
    )
    assert_problem(response, 412)

    form["title"] = "Added"
    assert generations(lambda: admin.post("/admin/board/job/add/", form))
    assert Job.objects.get(title="Added").version == 1


def test_the_admin_refuses_what_the_constraints_refuse(world, admin):
    form = {
        "company": world.company.pk,
        "title": "Backend developer",
        "is_open": "on",
        "salary_min": 2,
        "salary_max": 1,
    }
    text = admin.post("/admin/board/job/add/", form).content.decode()
    assert "The salary ends below its beginning." in text
    assert "This title is open at this company." in text


def test_jobs_deleted_in_the_admin_leave_the_cache(world, admin, generations):
    page = f"/admin/board/job/{world.closed.pk}/delete/"
    assert generations(lambda: admin.post(page, {"post": "yes"}))
    form = {
        "action": "delete_selected",
        "_selected_action": [world.elsewhere.pk],
        "post": "yes",
    }
    assert generations(lambda: admin.post("/admin/board/job/", form))
    assert set(Job.objects.all()) == {world.job}


def test_applications_are_read_only_and_protect_their_job(world, admin):
    page = f"/admin/board/application/{world.application.pk}/change/"
    assert admin.get(page).status_code == 200
    assert admin.post(page, {"status": "offered"}).status_code == 403
    assert admin.get("/admin/board/application/add/").status_code == 403
    page = f"/admin/board/job/{world.job.pk}/delete/"
    admin.post(page, {"post": "yes"})
    assert Job.objects.filter(pk=world.job.pk).exists()


def test_users_are_added_by_address(admin):
    password = "a long and quiet walk"
    form = {"email": "Added@Example.com", "usable_password": "true"}
    form |= {"password1": password, "password2": password}
    form |= {"profile-TOTAL_FORMS": 0, "profile-INITIAL_FORMS": 0}
    response = admin.post("/admin/accounts/user/add/", form)
    assert response.status_code == 302
    assert User.objects.get(email="added@example.com").check_password(password)


@pytest.mark.parametrize(
    "page",
    ["skill/", "skill/add/", "company/add/", "dailystatistics/"],
)
def test_the_other_pages_open(admin, page):
    assert admin.get(f"/admin/board/{page}").status_code == 200


def test_rows_have_names(world):
    assert str(world.job) == "Backend developer"
    assert str(world.company) == "Acme"
    assert str(world.python) == "Python"
    assert str(world.application) == f"Application {world.application.pk}"


def test_the_small_seed_is_a_whole_board_and_always_the_same(capsys):
    call_command("seed", size="S", password="a long and quiet walk")
    assert "200 jobs" in capsys.readouterr().out
    assert Job.objects.count() == 200
    assert 140 < Job.objects.open().count() < 180
    assert Company.objects.count() == 20
    assert Application.objects.values("status").distinct().count() == 5
    staff = User.objects.get(email="user1@example.com")
    assert staff.check_password("a long and quiet walk")
    assert staff.companies.get().slug == "company-1"
    for job in Job.objects.all():
        job.full_clean()
    first = list(Job.objects.order_by("pk").values_list("title", "salary_min"))

    with pytest.raises(CommandError, match="seed an empty one"):
        call_command("seed", size="S")
    for model in (Application, Job, Company, Skill, User):
        model.objects.all().delete()
    call_command("seed", size="S")
    again = Job.objects.order_by("pk").values_list("title", "salary_min")
    assert list(again) == first
    staff = User.objects.get(email="user1@example.com")
    assert not staff.has_usable_password()


def test_the_large_seed_keeps_its_proportions(monkeypatch):
    sizes = seed.SIZES["L"] | {"jobs": 2000, "companies": 4, "users": 10}
    monkeypatch.setitem(seed.SIZES, "L", sizes)
    call_command("seed", size="L", verbosity=0)
    assert 60 < Job.objects.open().count() < 140
