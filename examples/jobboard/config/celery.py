"""The Celery application: `celery -A config worker` starts here."""

import os

from celery import Celery
from celery.contrib.django.task import DjangoTask
from django.db import transaction

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


class Task(DjangoTask):
    """A task whose lost message does not turn a saved row into an error."""

    def delay_on_commit(self, *args, **kwargs):
        """Enqueue after the commit; a queue that is down is only logged.

        The row is saved by then: an error would tell the client that it is
        not. A periodic sweep enqueues what was missed.
        """

        def enqueue():  # not a partial: Django 5.2 logs by __qualname__
            self.delay(*args, **kwargs)

        transaction.on_commit(enqueue, robust=True)


app = Celery("jobboard", task_cls=Task)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
