"""A thousand sockets through a lock and a settlement: how long after its commit each event reaches each of them, and
what a socket costs the live process.

The pool has a hundred thousand entries of which 39 in 100 fall, so that the settlement is one that takes its time.
Every socket must hear every event once and in order: else nothing was measured.
"""

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import NamedTuple

from django.db import connection
from django.db.models import Max

from config.clock import database_now
from config.local import home
from config.local.benches.bigpools import Plan, competition_id
from config.local.benches.databases import Databases
from config.local.benches.ears import Heard
from config.local.benches.runs import Meaningless, Runs, settle_ours
from config.local.benches.scale import Pair, Scale
from config.local.benches.serving import free_port, running, wait_for_server, with_path
from config.local.services.process import spawn
from config.local.supervisor.programs import Program, module
from entries.queries.reveal import revealed_rounds
from pools.models import Game, GameStatus, Pool, PoolEvent, Round
from pools.services.telling import tell_locks

SOCKETS, ENTRIES = 1000, 100_000
LAG_SECONDS = 2.0
MEMORY_KB = 64.0
EVENTS = 18


class Evening(NamedTuple):
    """What one round did to a crowd: seconds from commit to each socket, and kilobytes of memory for a socket."""

    lags: list[float]
    kilobytes: float


def lag(runs: Runs, scale: Scale) -> Pair:
    """Seconds until the last message has arrived at the last socket, and what it may take."""
    return Pair(max(_evening(runs.databases, scale).lags), LAG_SECONDS)


def memory(runs: Runs, scale: Scale) -> Pair:
    """Kilobytes that the live process holds for each socket, and what it may."""
    return Pair(_evening(runs.databases, scale).kilobytes, MEMORY_KB)


@cache
def _evening(databases: Databases, scale: Scale) -> Evening:
    sockets = scale(SOCKETS, least=10)
    with databases.copy_of(Plan("listening", entries=scale.entries(ENTRIES))), ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="outlast-bench-")))
        port, pool = free_port(), Pool.objects.get()
        known = _last(pool)
        server = stack.enter_context(running(_live(port), _environment(folder), folder))
        wait_for_server(port)
        with crowd(port, pool.pk, 10) as warm:
            warm(0)
        before = resident(server.pid)
        with crowd(port, pool.pk, sockets) as until:
            held = resident(server.pid) - before
            play(pool)
            last = _last(pool)
            heard = until(last)
    expect_all(heard, sockets=sockets, numbers=range(known + 1, last + 1))
    return Evening(heard.lags, held / sockets)


def play(pool: Pool) -> None:
    """The next round locks, is revealed, and its games end at once; then the round before it is settled."""
    next_round = Round.objects.filter(competition_id=competition_id(), revealed_at=None).order_by("number")[0]
    now = database_now()
    Game.objects.filter(round=next_round).update(kickoff_at=now - timedelta(hours=3))
    tell_locks()
    revealed_rounds(pool.competition_id)
    Game.objects.filter(round=next_round).update(status=GameStatus.FINAL, home_score=1, away_score=0)
    settle_ours(Plan("listening", entries=ENTRIES))


def expect_all(heard: Heard, *, sockets: int, numbers: range) -> None:
    """Every socket heard these events, each once and in order. Raises Meaningless."""
    everything = ",".join(map(str, numbers))
    if heard.hung_up or heard.orders != {everything: sockets} or len(numbers) < EVENTS:
        raise Meaningless(f"{heard.hung_up} of {sockets} sockets hung up on; heard, by sockets: {heard.orders}")


def _last(pool: Pool) -> int:
    return int(PoolEvent.objects.filter(pool=pool).aggregate(last=Max("number"))["last"] or 0)


@contextmanager
def crowd(port: int, pool_id: int, count: int) -> Iterator["Until"]:
    """So many sockets at the pool, connected. Called with the last event's number, it gives their report."""
    argv = module("config.local.benches.ears", str(port), f"/ws/pools/{pool_id}", str(count))
    process = spawn(argv, stdin=subprocess.PIPE, output=subprocess.PIPE, death_signal=signal.SIGTERM, cwd=home.ROOT)
    try:
        yield Until(process)
    finally:
        process.kill()
        process.wait()


class Until:
    """A crowd that has said that it is ready."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.process = process
        assert process.stdout is not None
        if process.stdout.readline() != b"ready\n":
            raise Meaningless("the crowd did not get in")

    def __call__(self, number: int) -> Heard:
        said, _ = self.process.communicate(f"{number}\n".encode(), timeout=120)
        return Heard(**json.loads(said))


def resident(pid: int) -> int:
    """Kilobytes of memory that the process holds."""
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(lines["VmRSS"].split()[0])


def _live(port: int) -> Program:
    argv = module("config.live", "--port", str(port))
    return Program("live", argv, {"OUTLAST_PROCESS": "web", "PYTHONWARNINGS": "ignore:No directory at"})


def _environment(folder: Path) -> dict[str, str]:
    return {
        **os.environ,
        "DATABASE_URL": with_path(os.environ["DATABASE_URL"], str(connection.settings_dict["NAME"])),
        "LIVE_CLIENTS_PER_ADDRESS": str(SOCKETS),
        "PROMETHEUS_MULTIPROC_DIR": str(folder / "metrics"),
        "LOG_LEVEL": "ERROR",
        # The scratch server is held by this process.
        "OUTLAST_SERVICES": "off",
    }
