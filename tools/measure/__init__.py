"""Measure what a page claims: python -m tools.measure [PAGE], PAGE like challenges/n-plus-one; without it, all pages.

A page folder may hold measure.py. Its interface:

    MEASURES = ["examples/jobboard/board/querysets.py::JobQuerySet.with_company"]
        The code whose change makes the results old: files of the repository, with ::symbol for a part of one.
    GIVEN = {"500 ms": "the lock_timeout that we set"}
        Optional. Numbers with a unit that the page's prose names and that nobody measured, each with its reason.
    PACKAGES = ["celery"]
        Optional. More packages whose versions belong under the results.
    def measure(lab):
        Measures, through tools.measure.lab.Lab. It may import the job board (from board.models import Job), the page's
        own test file ("before" code stands there), and may assert. It runs on real servers.

It writes results.txt and results.svg beside measure.py, both or none: a failure or Ctrl-C leaves the old ones.
--check says, without servers, which results are missing or old, and which numbers of the prose were never measured.
"""


class MeasureError(Exception):
    """Something that stops a measurement or a check; the message says what, where, and what to do."""
