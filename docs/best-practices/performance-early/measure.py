"""What a page costs with and without a plan, and what a connection costs."""

import json

from board.models import Job
from test_performance_early import BUDGET, address, ask, busy_client, compressed, everything, spent, ways

MEASURES = ["docs/best-practices/performance-early/test_performance_early.py"]
GIVEN = {"50 ms": "the wait of most, in an example", "2,000 ms": "the wait of some, in that example"}

PAGES = "One page of each list of the job board"
WHOLE = "Open jobs in one answer, by how many it holds"
CONNECTIONS = "SELECT 1, by where the connection comes from"


def measure(lab):
    with lab.dataset("S"):
        client = busy_client()
        for name in BUDGET:
            queries, size = spent(client, name)
            lab.record(PAGES, name, counts={"queries": queries, "bytes": size})
        jobs = Job.objects.open().order_by("pk")
        for number in (20, 100, 161):
            body = json.dumps(everything(jobs[:number]), default=str).encode()
            counts = {"bytes": len(body), "gzip": compressed(body)}
            timing = lab.time(lambda number=number: everything(jobs[:number]))
            lab.record(WHOLE, f"{number} jobs", counts=counts, timing=timing, line="jobs", x=number)
        with ways(address()) as found:
            timings = lab.times({name: lambda way=way: ask(way) for name, way in found.items()}, runs=31)
        for name, timing in timings.items():
            lab.record(CONNECTIONS, name, timing=timing)
    lab.picture(CONNECTIONS, "time")
