"""What a stop does, by the process that gets its signal; what the layers hold."""

import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from test_docker_images import FORMS, copied_code, files_of, run, stop_under_load

from tools.measure.instruments import RUNS, timing_of
from tools.measure.results import Bytes

MEASURES = [
    "docs/technologies/docker-images/test_docker_images.py::FORMS",
    "docs/technologies/docker-images/test_docker_images.py::Container",
    "docs/technologies/docker-images/test_docker_images.py::run",
    "docs/technologies/docker-images/test_docker_images.py::stop_under_load",
]
PACKAGES = ["gunicorn"]
GRACE = 10  # seconds, the default of docker stop
GIVEN = {"10 s": "the time that an engine waits by default", "20 s": "the setting of the image"}
STOPPED = f"5 stops, each while 8 clients ask without a pause; kill after {GRACE} s"
TAKEN = "From the SIGTERM to the end"
HELD = "What the layers hold, installed"


def once(form):
    with tempfile.TemporaryDirectory() as folder, run(form, Path(folder)) as container:
        return container.program, *stop_under_load(container, GRACE)


def measure(lab):
    timings = {}
    for form in FORMS:
        lab.say(form)
        with ThreadPoolExecutor(RUNS) as pool:  # five at once: they mostly wait
            found = list(pool.map(once, [form] * RUNS))
        counts = {name: sum(each[2][name] for each in found) for name in found[0][2]}
        timings[form] = timing_of([seconds for _, seconds, _ in found])
        lab.record(STOPPED, form, counts=counts, note=f"process 1: {found[0][0]}")
    for form, timing in timings.items():
        lab.record(TAKEN, form, timing=timing)
    lab.picture(STOPPED, "cut off", "refused")
    for name, size in {
        "packages of requirements.txt": files_of("requirements.txt"),
        "packages of requirements-dev.txt": files_of("requirements-dev.txt"),
        "the code of the job board": copied_code(),
    }.items():
        lab.record(HELD, name, counts={"size": Bytes(size)})
