"""The variables for a run on this machine: tests, measurements and the demo."""

import os
import secrets
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def environment(services, **extra):
    """Return the environment of a process that uses the given servers.

    The secret is new each time; nothing here is fit for another machine.
    """
    return {
        **os.environ,
        **services.environ(),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PYTHONPATH": os.pathsep.join([str(HERE), *filter(None, sys.path)]),
        "SECRET_KEY": secrets.token_urlsafe(64),
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "HTTPS_ONLY": "false",
        "MAIL_URL": "console://",
        **extra,
    }
