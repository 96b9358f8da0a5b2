"""On what something was measured: hardware and versions, without names of hosts or people."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

from tools.measure import MeasureError
from tools.services import Services


def machine() -> str:
    """Return cores that this process may use, the model of the CPU, memory in GiB, and the operating system."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    plural = "" if cores == 1 else "s"
    return f"{cores} core{plural}, {cpu()}, {memory:.0f} GiB memory, {platform.system()} {platform.machine()}"


def cpu() -> str:
    """Return the model of the CPU as the operating system names it."""
    info = Path("/proc/cpuinfo")
    if info.exists() and (found := re.search(r"model name\s*:\s*(.+)", info.read_text())):
        return " ".join(found[1].split())
    if platform.system() == "Darwin":
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True).stdout.strip()
    return platform.processor() or "unknown CPU"


def installed(packages: list[str], where: str) -> None:
    """Raise MeasureError, with this place, for a package whose version nobody could name."""
    for name in packages:
        try:
            metadata.version(name)
        except metadata.PackageNotFoundError:
            raise MeasureError(f"{where}: PACKAGES names '{name}', which is not installed; correct the name") from None


def versions(services: Services, packages: list[str]) -> str:
    """Return versions as the programs report them, and the settings of PostgreSQL that differ from a product's."""
    found = [
        f"Python {platform.python_version()}",
        f"Django {metadata.version('django')}",
        postgres(services.database_url),
    ]
    found += [key_value_server(services.redis_url)]
    return ", ".join([*found, *(f"{name} {metadata.version(name)}" for name in ["psycopg", "redis", *packages])])


def postgres(url: str) -> str:
    import psycopg

    with psycopg.connect(url) as connection:

        def show(name: str) -> Any:
            return connection.execute(f"SHOW {name}").fetchone()[0]  # type: ignore[index]

        version = show("server_version").split()[0]
        return f"PostgreSQL {version} (shared_buffers {show('shared_buffers')}, fsync {show('fsync')})"


def key_value_server(url: str) -> str:
    import redis

    with redis.Redis.from_url(url) as client:
        info = client.info("server")
    return f"Valkey {info['valkey_version']}" if "valkey_version" in info else f"Redis {info['redis_version']}"
