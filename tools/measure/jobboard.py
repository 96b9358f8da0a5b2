"""The job board as a measurement uses it: its own settings without limits on time, its cache, what a dataset holds."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from tools.services import Services

# A measurement may take longer than a request may; tests of these limits set them themselves.
NO_LIMITS = "-c statement_timeout=0 -c lock_timeout=0 -c idle_in_transaction_session_timeout=0"


def set_up(services: Services, root: Path) -> None:
    """Set up the job board's own settings, without their limits on time."""
    home = str(root / "examples" / "jobboard")
    if home not in sys.path:
        sys.path.insert(0, home)
    import local

    os.environ.update(local.environment(services, STATEMENT_TIMEOUT_MS="0"))
    import django

    django.setup()
    from django.db import connections

    connections.settings["default"]["OPTIONS"]["options"] = NO_LIMITS


def forget_cached(url: str) -> None:
    """Delete the job board's keys in the cache, and only those: the server may be somebody's own."""
    import redis

    with redis.Redis.from_url(url) as client:
        for key in client.scan_iter("jobboard:*"):
            client.delete(key)


def describe() -> str:
    """Return what a database holds, counted: '200 jobs (160 open), 20 companies, …'."""
    from accounts.models import User
    from board.models import Application, Company, Job, Skill

    def several(model: Any) -> str:
        return f"{model.objects.count():,} {model._meta.verbose_name_plural}"

    opened = f"{several(Job)} ({Job.objects.filter(is_open=True).count():,} open)"
    return ", ".join([opened, *map(several, (Company, Skill, User, Application))])
