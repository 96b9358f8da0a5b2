"""What a full server loses, who waits for a slow command, and what a killed process keeps."""

import signal

from test_redis_essentials import (
    KEEPS,
    in_one_command,
    left_after,
    longest_wait,
    many_keys,
    one_by_one,
    own,
    pipelined,
    pushed_among_writes,
    reads_of,
    waiting_beside_a_cache,
    with_keys,
    with_scan,
)

from tools.measure.instruments import RUNS, timing_of

MEASURES = [
    "docs/concepts/redis-essentials/test_redis_essentials.py::waiting_beside_a_cache",
    "docs/concepts/redis-essentials/test_redis_essentials.py::pushed_among_writes",
    "docs/concepts/redis-essentials/test_redis_essentials.py::longest_wait",
    "docs/concepts/redis-essentials/test_redis_essentials.py::left_after",
]
GIVEN = {
    "1 s": "appendfsync everysec: what a power cut may cost",
    "60 s": "the quickest of the default save points",
    "20 MB": "the maxmemory of the servers that are filled",
    "256 MB": "the maxmemory of the servers that tools/services.py starts",
}
WAIT = "1,000 mails wait; a cache beside them writes 10 times 20 MB"
AMONG = "20,000 mails pushed in turns with pages of 2,000 bytes, into 20 MB"
SLOW = "One reader's longest wait while 300,000 keys are looked through"
TRIPS = "5,000 values"
KILL = "Five times 1,000 mails, then the process ends: left of 5,000"

BESIDE = {
    "allkeys-lru": ("allkeys-lru", 3600),
    "allkeys-lfu": ("allkeys-lfu", 3600),
    "volatile-lru": ("volatile-lru", 3600),
    "volatile-lru, no lifetimes": ("volatile-lru", None),
    "noeviction": ("noeviction", 3600),
}


def measure(lab):
    for name, (policy, lifetime) in BESIDE.items():
        lab.say(name)
        lab.record(WAIT, name, counts=waiting_beside_a_cache(policy, mails=1000, maxmemory="20mb", lifetime=lifetime))
    lab.picture(WAIT, "mails left", "pages refused")
    for name, policy, size in (
        ("allkeys-lru, 100 bytes a mail", "allkeys-lru", 100),
        ("allkeys-lru, 2,000 bytes", "allkeys-lru", 2000),
        ("noeviction, 2,000 bytes", "noeviction", 2000),
    ):
        lab.say(name)
        lab.record(AMONG, name, counts=pushed_among_writes(policy, mails=20_000, size=size, maxmemory="20mb"))
    with own(maxmemory="256mb") as server:
        client = server.client()
        many_keys(client, 300_000)
        for name, look in {"KEYS": with_keys, "SCAN, 1,000 a step": with_scan}.items():
            lab.say(name)
            waits = [longest_wait(server, look) for _ in range(RUNS + 1)][1:]
            lab.record(SLOW, name, timing=timing_of([wait for wait, _ in waits]))
        keys = [f"page:{n}" for n in range(5000)]
        ways = {"GET, one by one": one_by_one, "GET in a pipeline": pipelined, "MGET": in_one_command}
        calls = {name: lambda way=way: way(client, keys) for name, way in ways.items()}
        timings = lab.times(calls)
        for name, call in calls.items():
            lab.record(TRIPS, name, counts={"server reads": reads_of(client, call)}, timing=timings[name])
    for name, lines in KEEPS.items():
        lab.say(name)
        ends = {"killed": signal.SIGKILL, "stopped": signal.SIGTERM}
        counts = {end: sum(left_after(number, lines) for _ in range(RUNS)) for end, number in ends.items()}
        lab.record(KILL, name, counts=counts)
