"""Measured runs: each from a fresh copy, in turns, and worth something only when all come to the same fates."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.db import connection

from config.local.benches.bigpools import Plan, competition_id
from config.local.benches.databases import Databases
from config.local.benches.handwritten import settle_by_hand
from config.local.benches.loop import settle_by_loop
from entries.services.settlement import settle_competition

TIMES = 5

# Everything that a settlement decides, entry by entry, and the history that it left.
FATES = """
    SELECT count(*) FILTER (WHERE status = 'eliminated' AND eliminated_round_number = %(round)s),
           sum(hashtextextended(concat_ws('|', id, status, strikes, eliminated_round_number, eliminated_code,
                                          rules_version, prize_cents), 0)) FROM entries_entry
"""
HISTORY = """
    SELECT count(*), sum(hashtextextended(concat_ws('|', subject_id, from_status, to_status, details), 0))
    FROM entries_entrychange
"""


class Meaningless(RuntimeError):
    """Two ways of settling came to different fates, or nobody fell: what was measured compares nothing."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}: the measurement means nothing")


@dataclass(frozen=True)
class Run:
    """One run: how long it took, and the most memory that this process held meanwhile."""

    seconds: float
    megabytes: float


@dataclass(frozen=True)
class Way:
    """A way of settling a round; its name tells it in complaints. `prepare` is not measured."""

    name: str
    settle: Callable[[Plan], object]
    prepare: Callable[[Plan], object] | None = None
    check: Callable[[Plan], None] | None = None


def settle_ours(_: Plan) -> object:
    """Our settlement."""
    return settle_competition(competition_id=competition_id())


OURS = Way("settlement", settle_ours)
BY_HAND = Way("hand-written SQL", lambda plan: settle_by_hand(plan.round_number))
BY_LOOP = Way("loop over model objects", lambda plan: settle_by_loop(plan.round_number))


class Runs:
    """What was measured so far in this run of the benchmark: bars share it."""

    def __init__(self, databases: Databases) -> None:
        self.databases = databases
        self._done: dict[tuple[Plan, str], list[Run]] = {}
        self._fates: dict[Plan, object] = {}

    def of(self, plan: Plan, *ways: Way) -> list[list[Run]]:
        """Runs of each way, `TIMES` of each and in turns, so that what slows the machine down slows down all."""
        missing = [way for way in ways if (plan, way.name) not in self._done]
        for _ in range(TIMES if missing else 0):
            for way in missing:
                self._done.setdefault((plan, way.name), []).append(self._run(plan, way))
        return [self._done[plan, way.name] for way in ways]

    def _run(self, plan: Plan, way: Way) -> Run:
        with self.databases.copy_of(plan):
            if way.prepare is not None:
                way.prepare(plan)
            run = measured(lambda: way.settle(plan))
            self._expect(plan, way)
        return run

    def _expect(self, plan: Plan, way: Way) -> None:
        """Every way and every run must leave the same fates and the same history, where it leaves any."""
        if way.check is not None:
            way.check(plan)
            return
        found = fates(plan)
        if found != self._fates.setdefault(plan, found):
            raise Meaningless(f"the {way.name} came to other fates in plan {plan.name}")


def measured(call: Callable[[], object]) -> Run:
    """How long the call takes, and the most memory that this process holds meanwhile."""
    _forget_peak()
    began = time.monotonic()
    call()
    return Run(time.monotonic() - began, _peak_megabytes())


def fates(plan: Plan) -> object:
    """What stands in the connected database: comparable, and wrong when nobody fell."""
    with connection.cursor() as cursor:
        cursor.execute(FATES, {"round": plan.round_number})
        fallen, told = cursor.fetchone()
        cursor.execute(HISTORY)
        history = cursor.fetchone()
    if not fallen:
        raise Meaningless(f"nobody fell in plan {plan.name}")
    return fallen, told, history


def median_seconds(runs: list[Run]) -> float:
    return statistics.median(run.seconds for run in runs)


def median_megabytes(runs: list[Run]) -> float:
    return statistics.median(run.megabytes for run in runs)


def _forget_peak() -> None:
    # Linux: 5 sets the high-water mark of memory back to what is held now.
    Path("/proc/self/clear_refs").write_text("5")


def _peak_megabytes() -> float:
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(lines["VmHWM"].split()[0]) / 1024
