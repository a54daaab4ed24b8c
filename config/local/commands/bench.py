"""`manage.py bench [NAME …]`: one line per bar, `name measured reference ratio bar ok|over`.

Exits 1 when one is over, 2 when nothing was measured.

A bar measures something of ours and something of reference on the same machine in the same minutes, both in the same
unit where less is better. The ratio of the two is held against the bar, so that a slow machine fails nobody.
"""

import argparse
import importlib
import logging
import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import django

from config.local import services
from config.local.benches.scale import Pair, Scale

if TYPE_CHECKING:
    from config.local.benches.runs import Runs


class NothingMeasured(Exception):
    """A bar could not be measured, or what it measured compares nothing; the message says why."""


Compare = Callable[["Runs", Scale], Pair]


@dataclass(frozen=True)
class Bar:
    """A promise about speed: measured / reference stays at or below `bar`."""

    name: str
    meaning: str
    unit: str
    bar: float
    compare: Compare


@dataclass(frozen=True)
class Result:
    """One run of a bar."""

    bar: Bar
    pair: Pair

    @property
    def ratio(self) -> float:
        return self.pair.measured / self.pair.reference

    @property
    def is_ok(self) -> bool:
        return self.ratio <= self.bar.bar

    def __str__(self) -> str:
        numbers = [f"{number:.4g}{self.bar.unit}" for number in (self.pair.measured, self.pair.reference)]
        return " ".join([self.bar.name, *numbers, f"{self.ratio:.3g}", f"{self.bar.bar:g}", self._verdict])

    @property
    def _verdict(self) -> str:
        return "ok" if self.is_ok else "over"


_bars: dict[str, Bar] = {}


def register(bar: Bar) -> Bar:
    """Add a bar. Refuses a second one of the same name."""
    if bar.name in _bars:
        raise ValueError(f"two bars are named {bar.name}")
    _bars[bar.name] = bar
    return bar


def later(module: str, function: str) -> Compare:
    """The function of a module that needs Django, imported only when it is measured."""

    def compare(runs: "Runs", scale: Scale) -> Pair:
        found: Compare = getattr(importlib.import_module(f"config.local.benches.{module}"), function)
        return found(runs, scale)

    return compare


def run_bars(bars: Iterable[Bar], runs: "Runs", scale: Scale) -> list[Result]:
    """Run and print each."""
    results = []
    for bar in bars:
        results.append(Result(bar, bar.compare(runs, scale)))
        print(results[-1], flush=True)
    return results


BARS = (
    ("settlement", "a round of 1,000,000 entries, against the best SQL by hand", "s", 1.25, "settlement.against_hand"),
    ("settlement-loop", "the same, against a loop over 10,000 model objects, times 100", "s", 0.01,
     "settlement.against_loop"),
    ("settlement-growth", "time per entry of 1,000,000, against 10,000", "us", 1.0, "settlement.growth"),
    ("settlement-memory", "memory of this process at 1,000,000, against 10,000", "MB", 1.1, "settlement.memory"),
    ("settlement-pools", "2,000 pools of one competition, against one with as many entries", "s", 2.0,
     "settlement.many_pools"),
    ("settlement-season", "the sixth round of 400,000 entries, against the best SQL by hand", "s", 1.25,
     "settlement.in_season"),
    ("correction-dry-run", "a correction of 100,000 entries, tried without writing, against settling it", "s", 2.0,
     "correction.dry_run"),
    ("standings-depth", "a page of 1,000,000 standings nine tenths down, against the first", "ms", 1.5,
     "reading.depth"),
    ("standings-size", "the first page of 1,000,000 standings, against 10,000", "ms", 1.5, "reading.standings"),
    ("graphql-standings", "100 standings with picks asked for in GraphQL, against the same page over REST", "ms", 8.0,
     "reading.asked"),
    ("home", "the slowest statement of the back office's first page over 1,000,000 entries, against 50 ms", "ms", 1.0,
     "office.home"),
    ("lists", "the slowest of ten lists of the back office at 1,000,000 rows, against the same at 1,000", "ms", 2.0,
     "office.lists"),
    ("lists-depth", "the same nine tenths down, against the first page", "ms", 2.0, "office.depth"),
    ("lists-search", "the same while a player or a reference is searched for, against the same at 1,000", "ms", 2.0,
     "office.search"),
    ("room", "the room of a round that is over, in a pool of 1,000,000 entries, against 1,000", "ms", 2.0,
     "office.room"),
    ("distribution-size", "how 1,000,000 picks were spread, against 10,000", "ms", 1.5, "reading.distribution"),
    ("approve-thousand", "approving 1,000 requests at once, each with a result of its own, against 20 s", "s", 1.0,
     "deciding.seconds"),
    ("approve-thousand-memory", "memory of the process that approves 1,000, against 100", "MB", 1.1,
     "deciding.memory"),
    ("webhook", "99 of 100 webhooks, fifty a second while the worker is busy, against 50 ms", "ms", 1.0,
     "webhooks.answers"),
    ("sign-in-storm", "95 of 100 picks while forty people a second sign in, against the same without them", "ms", 1.5,
     "signing_in.picks"),
    ("pick", "saving a pick, 32 connections, against FastAPI and asyncpg in one statement", "us", 1.667,
     "saving.against_one"),
    ("pick-several", "the same, against FastAPI and asyncpg in several statements", "us", 1.0,
     "saving.against_several"),
    ("pick-p95", "95 of 100 picks at 70 % of the load that can be saved, against 200 ms", "ms", 1.0, "saving.p95"),
    ("pool-page", "the page of a pool of 1,000,000 entries, against FastAPI and asyncpg with the same statement", "us",
     1.111, "pages.pool"),
    ("pool-page-snapshot", "the same while nothing changes, against the same", "us", 0.2, "pages.pool_kept"),
    ("standings-page", "50 standings of 1,000,000, against FastAPI and asyncpg with the same statement", "us", 1.111,
     "pages.standings"),
    ("standings-snapshot", "the same while nothing changes, against the same", "us", 0.2, "pages.standings_kept"),
    ("standings-304", "who has them already, against FastAPI that asks for the version", "us", 1.0,
     "pages.standings_known"),
    ("live", "each message to each of 1,000 sockets through a lock and a settlement, since commit, against 2 s", "s",
     1.0, "listening.lag"),
    ("live-memory", "memory of the live process for each of 1,000 sockets, against 64 kB", "kB", 1.0,
     "listening.memory"),
    ("stampede", "95 of 100 of a crowd of a hundred a second before a lock, against 250 ms", "ms", 1.0, "stampede.p95"),
    ("stampede-p99", "99 of 100 of them, against 1 s", "ms", 1.0, "stampede.p99"),
    ("stampede-past", "served a second at the knee, against those of three times the crowd", "", 1.25,
     "stampede.past_the_knee"),
    ("stampede-refusals", "95 of 100 of the others told to come again, against 200 ms", "ms", 1.0,
     "stampede.refusals"),
    ("ledger", "posting an entry of 4 lines, 8 clients, against the same without the guards", "us", 1.333,
     "ledger.guards"),
    ("trial-balance", "the trial balance of 1,000,000 entries, against the plain sum of their lines", "s", 1.5,
     "ledger.trial"),
    ("trial-balance-past", "the same as of a past instant, against the same", "s", 1.5, "ledger.trial_past"),
    ("export-csv", "a report of 1,000,000 rows as CSV, against COPY of the same query", "s", 3.0, "exports.csv_time"),
    ("export-csv-memory", "memory of the process that writes it, against 150 MB", "MB", 1.0, "exports.csv_memory"),
    ("export-xlsx", "the same as XLSX, against the bare library in constant memory", "s", 1.3, "exports.xlsx_time"),
    ("export-xlsx-memory", "memory of the process that writes it, against 150 MB", "MB", 1.0, "exports.xlsx_memory"),
    ("reconcile-rules", "100,000 staged rows against 1,000,000 payments by all rules, against one plain FULL JOIN", "s",
     3.0, "reconciling.rules"),
    ("reconcile-rules-memory", "memory of the process that compares them, against 150 MB", "MB", 1.0,
     "reconciling.memory"),
    ("reconcile-feed", "a run over 100,000 movements at the Stripe double, against 90 s", "s", 1.0, "feeding.seconds"),
    ("reconcile-feed-memory", "memory of this process meanwhile, against 150 MB", "MB", 1.0, "feeding.memory"),
)  # fmt: skip
for _name, _meaning, _unit, _limit, _where in BARS:
    register(Bar(_name, _meaning, _unit, _limit, later(*_where.split("."))))


def main(argv: list[str]) -> int:
    """Run all bars, or the named ones."""
    options = _parser().parse_args(argv)
    if strange := [name for name in options.names if name not in _bars]:
        print(f"No such bar: {', '.join(strange)}. Bars: {_listed()}.", file=sys.stderr)
        return 2
    services.ensure()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    try:
        results = _measure([_bars[name] for name in options.names or _bars], Scale(options.scale))
    except NothingMeasured as problem:
        print(problem, file=sys.stderr)
        return 2
    return 0 if all(result.is_ok for result in results) else 1


def _measure(bars: list[Bar], scale: Scale) -> list[Result]:
    from config.local.benches.databases import databases
    from config.local.benches.runs import Meaningless, Runs
    from config.local.replay.scratch import NoScratchDatabase

    logging.disable(logging.INFO)
    try:
        with databases() as made:
            return run_bars(bars, Runs(made), scale)
    except (Meaningless, NoScratchDatabase) as problem:
        raise NothingMeasured(str(problem)) from problem
    finally:
        logging.disable(logging.NOTSET)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="manage.py bench", description=__doc__, epilog=f"Bars: {_listed()}.")
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--scale", type=float, default=1.0, help="the size of everything, for a quick look: 0.01")
    return parser


def _listed() -> str:
    return "; ".join(f"{bar.name}: {bar.meaning}" for bar in _bars.values())
