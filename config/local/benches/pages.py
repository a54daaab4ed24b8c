"""How fast pages of a big pool are shown by the web server as `up` runs it, against a service of FastAPI and asyncpg.

Ours stands twice: once with pages kept, once with each read from its rows. All three stand on one database at the same
time and take turns; what counts is the median of the turns.
"""

import http.client
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import repeat
from pathlib import Path
from weakref import WeakKeyDictionary

from config.local.benches.bigpools import Plan
from config.local.benches.reading import settled
from config.local.benches.runs import Meaningless, Runs
from config.local.benches.saving import environment
from config.local.benches.scale import Pair, Scale
from config.local.benches.serving import free_port, running, wait_for_server
from config.local.benches.wire import call, send_closed
from config.local.supervisor.programs import Program, module, web
from entries.api.pages import STANDINGS_BY_NUMBER
from pools.api.pages import VERSION, card_by_number
from pools.models import Pool

CONNECTIONS = 32
TURNS = 5
SECONDS, WARM_SECONDS = 3.0, 1.0
LIMIT = 50


@dataclass(frozen=True)
class Served:
    """The three services."""

    kept: int
    rows: int
    rival: int


@dataclass(frozen=True)
class Asking:
    """What one of them is asked, and what it has to answer each time."""

    port: int
    call: bytes
    status: int = 200


_measured: WeakKeyDictionary[Runs, dict[str, float]] = WeakKeyDictionary()


def pool(runs: Runs, scale: Scale) -> Pair:
    """Microseconds for the page of a pool, read from its rows, and of the other service."""
    return _pair(runs, scale, "pool", "rival pool")


def pool_kept(runs: Runs, scale: Scale) -> Pair:
    """The same while nothing changes, and of the other service."""
    return _pair(runs, scale, "kept pool", "rival pool")


def standings(runs: Runs, scale: Scale) -> Pair:
    """Microseconds for fifty standings, read from their rows, and of the other service."""
    return _pair(runs, scale, "standings", "rival standings")


def standings_kept(runs: Runs, scale: Scale) -> Pair:
    """The same while nothing changes, and of the other service."""
    return _pair(runs, scale, "kept standings", "rival standings")


def standings_known(runs: Runs, scale: Scale) -> Pair:
    """Microseconds to say that nothing has changed, and of the other service."""
    return _pair(runs, scale, "known", "rival known")


def statements() -> dict[str, str]:
    """Ours, with values by number, as asyncpg takes them."""
    return {
        "card": card_by_number(),
        "standings": STANDINGS_BY_NUMBER,
        "version": VERSION.sql,
    }


def _pair(runs: Runs, scale: Scale, ours: str, theirs: str) -> Pair:
    if runs not in _measured:
        with _served(runs, settled("million", scale.entries(1_000_000))) as (served, pool_id):
            _measured[runs] = _measure(served, pool_id, min(1.0, max(scale.factor, 0.3)))
    return Pair(_measured[runs][ours], _measured[runs][theirs])


def _measure(served: Served, pool_id: int, factor: float) -> dict[str, float]:
    base, standing = f"/api/v1/pools/{pool_id}", f"/standings?limit={LIMIT}"
    theirs = f"/pools/{pool_id}"
    asked = {
        "pool": Asking(served.rows, call("GET", base)),
        "kept pool": Asking(served.kept, call("GET", base)),
        "rival pool": Asking(served.rival, call("GET", theirs)),
        "standings": Asking(served.rows, call("GET", base + standing)),
        "kept standings": Asking(served.kept, call("GET", base + standing)),
        "rival standings": Asking(served.rival, call("GET", theirs + standing)),
        "known": _known(served.kept, base + standing),
        "rival known": _known(served.rival, f"{theirs}/known"),
    }
    _compare(served, base + standing, theirs + standing)
    rates: dict[str, list[float]] = {name: [] for name in asked}
    for one in asked.values():
        _rate(one, WARM_SECONDS * factor)
    for _ in range(TURNS):
        for name, one in asked.items():
            rates[name].append(_rate(one, SECONDS * factor))
    return {name: 1e6 / statistics.median(found) for name, found in rates.items()}


def _rate(asking: Asking, seconds: float) -> float:
    heavy = send_closed(asking.port, [repeat(asking.call)] * CONNECTIONS, seconds=seconds)
    if set(heavy.answered) != {asking.status}:
        raise Meaningless(f"pages were answered {dict(heavy.answered)}")
    return heavy.per_second


def _known(port: int, path: str) -> Asking:
    """Somebody who has the page."""
    _, headers, _ = _get(port, path)
    return Asking(port, call("GET", path, headers=[("If-None-Match", headers["etag"])]), status=304)


def _compare(served: Served, path: str, theirs: str) -> None:
    """All show the same, or the comparison means nothing."""
    shown = [
        json.loads(_get(port, where)[2])["data"]
        for port, where in ((served.kept, path), (served.rows, path), (served.rival, theirs))
    ]
    if not shown[0] or any(one != shown[0] for one in shown):
        raise Meaningless("the services show different standings")


def _get(port: int, path: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


@contextmanager
def _served(runs: Runs, plan: Plan) -> Iterator[tuple[Served, int]]:
    """The three, on the pool itself: nobody writes."""
    with runs.databases.original_of(plan), ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="outlast-bench-")))
        told = folder / "statements.json"
        told.write_text(json.dumps(statements()))
        served = Served(free_port(), free_port(), free_port())
        ours = replace(web("127.0.0.1", served.rows), name="rows")
        rows = replace(ours, env={**ours.env, "KEEP_PAGES": "false"})
        for program in (web("127.0.0.1", served.kept), rows, _rival(served.rival, told)):
            stack.enter_context(running(program, environment(folder / program.name), folder))
        for port in (served.kept, served.rows, served.rival):
            wait_for_server(port)
        time.sleep(1.0)
        yield served, Pool.objects.values_list("pk", flat=True).get()


def _rival(port: int, told: Path) -> Program:
    """Two processes, as ours, on the loop and the parser that its makers recommend."""
    served = ["--host", "127.0.0.1", "--port", str(port), "--workers", "2", "--loop", "uvloop", "--http", "httptools"]
    quiet = ["--no-access-log", "--log-level", "error"]
    return Program(
        "rival", module("uvicorn", "config.local.benches.rival_pages:app", *served, *quiet),
        {"RIVAL_STATEMENTS": str(told)},
    )  # fmt: skip
