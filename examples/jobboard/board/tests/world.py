"""A small board, and clients that are signed in with a token."""

from rest_framework.test import APIClient

from accounts import tokens
from accounts.models import Profile, User
from board.models import Application, Company, Job, Skill


class World:
    """Two companies and the people around them."""

    def __init__(self):
        self.applicant = self.user("applicant@example.com")
        self.outsider = self.user("outsider@example.com")
        self.staff = self.user("staff@example.com")
        self.rival = self.user("rival@example.com")
        self.root = self.user("root@example.com", is_superuser=True)
        self.company = Company.objects.create(name="Acme", slug="acme")
        self.company.staff.add(self.staff)
        self.other_company = Company.objects.create(name="Other", slug="other")
        self.other_company.staff.add(self.rival)
        self.python = Skill.objects.create(name="Python")
        self.sql = Skill.objects.create(name="SQL")
        self.job = self.add_job("Backend developer", salary_max=5000)
        self.job.skills.add(self.python, self.sql)
        self.closed = self.add_job("Archivist", is_open=False)
        self.elsewhere = self.add_job("Baker", company=self.other_company)
        self.application = Application.objects.create(
            user=self.applicant, job=self.job
        )

    def user(self, email, **flags):
        user = User.objects.create_user(email, **flags)
        Profile.objects.create(user=user)
        return user

    def add_job(self, title, **fields):
        return Job.objects.create(
            **{"company": self.company} | fields, title=title
        )

    def client(self, user=None):
        """Return a client that sends the user's access token, if any."""
        client = APIClient(raise_request_exception=False)
        if user:
            access = tokens.issue(user)["access"]
            client.credentials(HTTP_AUTHORIZATION=f"Bearer {access}")
        return client


def assert_problem(response, status, detail=""):
    """Check that a response is a problem document with the status."""
    assert response.status_code == status, response.content
    assert response.headers["Content-Type"] == "application/problem+json"
    document = response.json()
    assert document["status"] == status
    assert detail in str(document), document
    return document
