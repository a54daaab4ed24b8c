"""How fast picks are saved through the web server as `up` runs it, against a service of FastAPI and asyncpg.

All three stand on one database at the same time and take turns, so that what slows the machine down slows down all;
what counts is the median of the turns. Every call changes a pick: nothing is saved by finding it saved.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from weakref import WeakKeyDictionary

from django.conf import settings
from django.db import connection as database

from config.local.benches.bigpools import Plan
from config.local.benches.open_loop import send_open
from config.local.benches.players import Player, lanes, players
from config.local.benches.runs import Meaningless, Runs
from config.local.benches.scale import Pair, Scale
from config.local.benches.serving import free_port, percentile, running, wait_for_server, with_path
from config.local.benches.wire import send_closed
from config.local.supervisor.programs import Program, module, web
from entries.models import PickChange

PLAN = Plan("saving", entries=2_000, settled=True)
PEOPLE = 640
CONNECTIONS = 32
TURNS = 7
SECONDS, WARM_SECONDS = 3.0, 2.0
REFERENCE_MS = 200.0
LOAD = 0.7
OPEN_SECONDS = 20.0
OURS, ONE, SEVERAL = "ours", "one", "several"


@dataclass(frozen=True)
class Measured:
    """Microseconds for a pick, of each service; and milliseconds in which 95 of 100 are saved at 70 % of our load."""

    microseconds: dict[str, float]
    at_load: float


_measured: WeakKeyDictionary[Runs, Measured] = WeakKeyDictionary()


def against_one(runs: Runs, scale: Scale) -> Pair:
    """Microseconds for a pick, 32 connections at once, and of the service that saves it in one statement."""
    found = _of(runs, scale).microseconds
    return Pair(found[OURS], found[ONE])


def against_several(runs: Runs, scale: Scale) -> Pair:
    """The same, and of the service that takes several statements."""
    found = _of(runs, scale).microseconds
    return Pair(found[OURS], found[SEVERAL])


def p95(runs: Runs, scale: Scale) -> Pair:
    """Milliseconds in which 95 of 100 are saved at 70 % of what we can save, and what that may take."""
    return Pair(_of(runs, scale).at_load, REFERENCE_MS)


def _of(runs: Runs, scale: Scale) -> Measured:
    if runs not in _measured:
        with _served(runs) as (ours, rival):
            _measured[runs] = _measure(ours, rival, min(1.0, max(scale.factor, 0.2)))
    return _measured[runs]


def _measure(ours: int, rival: int, factor: float) -> Measured:
    ports = {OURS: ours, ONE: rival, SEVERAL: rival}
    # Shared by all of them, so that each call changes what the one before left, whoever served that.
    changes = lanes(players(PLAN, PEOPLE), CONNECTIONS)
    rates: dict[str, list[float]] = {service: [] for service in ports}
    for service, port in ports.items():
        _rate(port, _calls(service, changes), WARM_SECONDS)
    for _ in range(TURNS):
        for service, port in ports.items():
            rates[service].append(_rate(port, _calls(service, changes), SECONDS * factor))
    mine = statistics.median(rates[OURS])
    return Measured(
        {service: 1e6 / statistics.median(found) for service, found in rates.items()},
        _p95(ours, _calls(OURS, changes), mine * LOAD, OPEN_SECONDS * factor),
    )


def _rate(port: int, calls: list[Iterator[bytes]], seconds: float) -> float:
    """Picks a second. Every one must be saved, and leave its line of history."""
    before = PickChange.objects.count()
    heavy = send_closed(port, calls, seconds=seconds)
    if set(heavy.answered) != {200}:
        raise Meaningless(f"picks were answered {dict(heavy.answered)}")
    written = PickChange.objects.count() - before
    if written != heavy.answered[200]:
        raise Meaningless(f"{heavy.answered[200]} picks were acknowledged and {written} changed")
    return heavy.per_second


def _p95(port: int, calls: list[Iterator[bytes]], per_second: float, seconds: float) -> float:
    turn = cycle(calls)
    due = [(number / per_second, next(next(turn))) for number in range(round(per_second * seconds))]
    heard = send_open(port, due)
    wrong = {answer.status for _, answer in heard} - {200}
    if wrong:
        raise Meaningless(f"at {LOAD:.0%} of the load picks were answered {wrong}")
    return percentile([taken for taken, _ in heard], 95)


def _calls(service: str, changes: list[Iterator[tuple[Player, str]]]) -> list[Iterator[bytes]]:
    return [(player.put(_path(service, player), team) for player, team in lane) for lane in changes]


def _path(service: str, player: Player) -> str:
    prefix = "/api/v1" if service == OURS else f"/{service}"
    return f"{prefix}/entries/{player.entry_id}/picks/{PLAN.round_number + 1}"


@contextmanager
def _served(runs: Runs) -> Iterator[tuple[int, int]]:
    """The ports of our server and of the other one, on one copy of the pool."""
    with runs.databases.copy_of(PLAN), ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="outlast-bench-")))
        ours, rival = free_port(), free_port()
        stack.enter_context(running(web("127.0.0.1", ours), environment(folder), folder))
        stack.enter_context(running(_rival(rival), environment(folder), folder))
        for port in (ours, rival):
            wait_for_server(port)
        time.sleep(1.0)
        yield ours, rival


def _rival(port: int) -> Program:
    """Two processes, as ours, on the loop and the parser that its makers recommend."""
    served = ["--host", "127.0.0.1", "--port", str(port), "--workers", "2", "--loop", "uvloop", "--http", "httptools"]
    quiet = ["--no-access-log", "--log-level", "error"]
    key = str(settings.SIMPLE_JWT["SIGNING_KEY"])
    return Program(
        "rival", module("uvicorn", "config.local.benches.rival:app", *served, *quiet), {"RIVAL_JWT_KEY": key}
    )


def environment(folder: Path) -> dict[str, str]:
    """That of this process, but for the database; and limits that a single sender of everything does not meet."""
    return {
        **os.environ,
        "DATABASE_URL": with_path(os.environ["DATABASE_URL"], str(database.settings_dict["NAME"])),
        "PROMETHEUS_MULTIPROC_DIR": str(folder / "metrics"),
        "RATE_LIMIT_SCALE": "10000",
        "LOG_LEVEL": "ERROR",
        # The scratch server is held by this process.
        "OUTLAST_SERVICES": "off",
    }
