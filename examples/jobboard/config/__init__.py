"""The project: settings, addresses and entry points.

The import makes shared tasks use our Celery application.
"""

from config.celery import app as celery_app

__all__ = ["celery_app"]
