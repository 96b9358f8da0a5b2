"""What five configurations do behind a proxy, how much memory the processes take, and how long they take to wake."""

import contextlib
import functools
import http.client
import os
import tempfile
import time
from pathlib import Path

import redis
from test_deploy_to_a_host import (
    CONFIGURATIONS,
    STATIC,
    WEB,
    WORKER,
    ask,
    hops,
    listens,
    production,
    python_proxies,
    run,
    started,
    tries,
    wait_for,
)

from tools.measure.instruments import timing_of
from tools.measure.results import Bytes
from tools.services import free_port

MEASURES = [
    "docs/technologies/deploy-to-a-host/test_deploy_to_a_host.py::CONFIGURATIONS",
    "docs/technologies/deploy-to-a-host/test_deploy_to_a_host.py::Proxy",
    "docs/technologies/deploy-to-a-host/test_deploy_to_a_host.py::tries",
    "docs/technologies/deploy-to-a-host/test_deploy_to_a_host.py::WEB",
    "docs/technologies/deploy-to-a-host/test_deploy_to_a_host.py::WORKER",
    "examples/jobboard/config/settings.py",
]
GIVEN = {"512 MB": "what Render gives a free web service, says a file of a user of it"}
REDIRECTS = "GET /api/jobs/ behind a proxy that ended TLS, redirects followed up to 20"
TRIES = "100 tries to sign in, each with another forged address; then one try of another client"
MEMORY = "Memory of all processes of a service, shared pages counted once"
WAKE = "From the start of gunicorn to the first answer that reads the database"
SERVICES = {
    "web, 1 process": f"{WEB} --threads=4",
    "web, 2 processes": f"{WEB} --threads=4 --workers=2",
    "web, 2 processes, --preload": f"{WEB} --threads=4 --workers=2 --preload",
    "worker with beat, solo": f"exec {WORKER}",
    "worker with beat, 1 child": f"exec {WORKER}".replace("--pool=solo", "--concurrency=1"),
    "web, 1 process, and worker solo": f"{WORKER} & {WEB} --threads=4",
}


def measure(lab):
    with lab.dataset("S"), tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        host = production(os.environ["DATABASE_URL"], Path(folder) / "static")
        assert run(STATIC, host).returncode == 0
        behind = {name: free_port() for name in CONFIGURATIONS}
        for name, changes in CONFIGURATIONS.items():
            environment = host | changes | {"PORT": str(behind[name])}
            stack.enter_context(started(WEB, environment, Path(folder) / f"{behind[name]}.log"))
        for port in behind.values():
            wait_for(lambda port=port: listens(port))
        fronts = stack.enter_context(python_proxies(behind))
        for name in ("right", "no proxy known", "no proxy known, on a laptop"):
            lab.record(REDIRECTS, name, counts={"redirects": hops(fronts[name])[0]})
        for name in ("right", "no proxy known, HTTPS_ONLY off", "one proxy too many"):
            lab.say(f"{TRIES}: {name}")
            forget(lab)
            allowed = tries(fronts[name], 100, forge=True)
            other = tries(fronts[name], 1, source="127.0.0.2")
            lab.record(TRIES, name, counts={"tries allowed": allowed, "other client allowed": other})
        stack.close()
    with lab.dataset("S"), tempfile.TemporaryDirectory() as folder:
        host = production(os.environ["DATABASE_URL"], Path(folder) / "static")
        (Path(folder) / "static").mkdir()
        taken = []
        for name, command in SERVICES.items():
            lab.say(f"{MEMORY}: {name}")
            forget(lab)
            port = free_port()
            log = Path(folder) / f"{port}.log"
            command = command.replace("/tmp/beat", f"{folder}/{port}.beat")  # noqa: S108
            with started(command, host | {"PORT": str(port)}, log) as process:
                if "gunicorn" in command:
                    wait_for(lambda port=port: listens(port))
                    for _ in range(20):
                        assert ask(direct(port), "/api/jobs/", X_Forwarded_Proto="https")[0] == 200
                if "celery" in command:
                    wait_for(lambda log=log: "ready." in log.read_text() and "beat: Starting" in log.read_text())
                    time.sleep(1)  # what it still loads
                lab.record(MEMORY, name, counts={"memory": Bytes(memory_of_group(process.pid))})
        for _ in range(6):
            forget(lab)
            port = free_port()
            with started(WEB, host | {"PORT": str(port)}, Path(folder) / "wake.log"):
                began = time.perf_counter()
                wait_for(lambda port=port: listens(port))
                assert ask(direct(port), "/api/jobs/", X_Forwarded_Proto="https")[0] == 200
                taken.append(time.perf_counter() - began)
        lab.record(WAKE, "web, 1 process", timing=timing_of(taken[1:]))
    lab.picture(TRIES, "tries allowed", "other client allowed")


def forget(lab):
    """Forget who has tried how often."""
    client = redis.Redis.from_url(os.environ["REDIS_URL"])
    for key in client.scan_iter("jobboard:*"):
        client.delete(key)


def direct(port):
    return functools.partial(http.client.HTTPConnection, "127.0.0.1", port, timeout=60)


def memory_of_group(group):
    """Return the proportional set size of all processes of a group. Linux only."""
    total = 0
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            with contextlib.suppress(OSError):
                if os.getpgid(int(process.name)) == group:
                    lines = (process / "smaps_rollup").read_text().splitlines()
                    total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total * 1024
