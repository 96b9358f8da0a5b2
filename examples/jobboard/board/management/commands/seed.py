"""Fill an empty database: python manage.py seed --size S.

S is for reading and trying: 200 jobs, people to sign in as. L is for
measuring: 1,000,000 jobs, of which 5 % are open. The same size always gives
the same rows.
"""

import random
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction

from accounts.models import Profile, User
from board import caching
from board.models import Application, Company, Job, Skill

SIZES = {
    "S": {"jobs": 200, "open": 0.8, "companies": 20, "users": 40},
    "L": {"jobs": 1_000_000, "open": 0.05, "companies": 200, "users": 10_000},
}
SKILLS = """
Python Django SQL PostgreSQL Redis Celery Docker Git Linux REST GraphQL Testing
CSS HTML Vue React Angular Svelte JavaScript TypeScript Node Go Rust Java Kotlin
Swift C C++ Ruby PHP Elixir Scala Bash Nginx Gunicorn RabbitMQ Kafka MySQL
SQLite MongoDB Terraform Ansible Kubernetes AWS Azure Figma Sass Pandas NumPy
OAuth
""".split()  # noqa: SIM905  a list of fifty lines shows no more
LEVELS = ["Junior", "", "Senior", "Lead"]
ROLES = ["backend developer", "frontend developer", "data engineer", "tester"]
ROLES += ["site reliability engineer", "database administrator"]
LAST_DAY = datetime(2026, 11, 1, tzinfo=UTC)
SKILLS_PER_JOB = 3


class Command(BaseCommand):
    help = "Fill an empty database with a small (S) or a large (L) job board."

    def add_arguments(self, parser):
        parser.add_argument("--size", choices=SIZES, required=True)
        parser.add_argument(
            "--password",
            help="for the users; without it nobody can sign in",
        )

    def handle(self, *, size, password, **options):
        """Write the rows and print how many there are. Raises CommandError."""
        if Company.objects.exists():
            raise CommandError("the database has rows; seed an empty one")
        began = time.monotonic()
        with transaction.atomic(), connection.cursor() as cursor:
            # This takes longer than any request may.
            cursor.execute("SET LOCAL statement_timeout = 0")
            seed = Seed(**SIZES[size], password=password)
            rows = seed.write(cursor)
            caching.forget_jobs_on_commit()
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")  # or the planner knows nothing of them
        for name, count in rows.items():
            self.stdout.write(f"{count:>9,} {name}")
        self.stdout.write(f"in {time.monotonic() - began:.1f} s")


class Seed:
    """Writes one data set."""

    def __init__(self, *, jobs, open, companies, users, password):
        self.jobs, self.open = jobs, open
        self.companies, self.users = companies, users
        self.password = password
        self.random = random.Random(20261101)  # noqa: S311  not for secrets

    def write(self, cursor):
        """Write all tables and return how many rows of each there are."""
        users = self.write_users()
        companies = self.write_companies(users)
        skills = Skill.objects.bulk_create(Skill(name=name) for name in SKILLS)
        jobs = self.write_jobs(cursor, companies)
        pairs = self.write_job_skills(cursor, jobs, skills)
        applications = self.write_applications(users, jobs)
        return {
            "users": len(users),
            "companies": len(companies),
            "skills": len(skills),
            "jobs": len(jobs),
            "skills of jobs": pairs,
            "applications": applications,
        }

    def write_users(self):
        # Hashed once: hashing is slow on purpose, and the password is one.
        sample = User()
        sample.set_password(self.password)
        users = User.objects.bulk_create(
            User(email=f"user{n}@example.com", password=sample.password)
            for n in range(1, self.users + 1)
        )
        admin = {"is_staff": True, "is_superuser": True}
        User.objects.create(
            email="admin@example.com", password=sample.password, **admin
        )
        Profile.objects.bulk_create(
            Profile(user=user, headline="Looking for work") for user in users
        )
        return users

    def write_companies(self, users):
        """Write companies; user1 is on the staff of the first, and so on."""
        companies = Company.objects.bulk_create(
            Company(name=f"Company {n}", slug=f"company-{n}")
            for n in range(1, self.companies + 1)
        )
        through = Company.staff.through
        through.objects.bulk_create(
            through(company=company, user=user)
            for company, user in zip(companies, users, strict=False)
        )
        return companies

    def write_jobs(self, cursor, companies):
        """Write jobs with COPY; return each key and whether the job is open."""
        columns = "company_id, title, description, salary_min, salary_max, "
        columns += "is_open, views, version, created_at"
        with cursor.copy(f"COPY board_job ({columns}) FROM STDIN") as copy:
            for number in range(self.jobs):
                copy.write_row(self.job(number, companies))
        return list(Job.objects.order_by("pk").values_list("pk", "is_open"))

    def job(self, number, companies):
        """Return one row; its number makes the title unique in its company."""
        title = f"{self.random.choice(LEVELS)} {self.random.choice(ROLES)}"
        salary = Decimal(self.random.randrange(2000, 9000, 50))
        minutes = self.random.randrange(1000 * 24 * 60)
        return (
            companies[number % len(companies)].pk,
            f"{title.strip()} {number // len(companies) + 1}",
            "We build and run web services.",
            salary if number % 10 else None,
            salary + 1000 if number % 7 else None,
            self.random.random() < self.open,
            self.random.randrange(1000),
            1,
            LAST_DAY - timedelta(minutes=minutes),
        )

    def write_job_skills(self, cursor, jobs, skills):
        keys = [skill.pk for skill in skills]
        statement = "COPY board_job_skills (job_id, skill_id) FROM STDIN"
        with cursor.copy(statement) as copy:
            for job, _ in jobs:
                for skill in self.random.sample(keys, SKILLS_PER_JOB):
                    copy.write_row((job, skill))
        return len(jobs) * SKILLS_PER_JOB

    def write_applications(self, users, jobs):
        """Write four applications of each user for open jobs."""
        open_jobs = [job for job, is_open in jobs if is_open]
        statuses = Application.Status.values
        applications = Application.objects.bulk_create(
            (
                Application(
                    user=user,
                    job_id=job,
                    status=self.random.choice(statuses),
                    confirmation_sent_at=LAST_DAY,
                )
                for user in users
                for job in self.random.sample(open_jobs, 4)
            ),
            batch_size=5000,
        )
        return len(applications)
