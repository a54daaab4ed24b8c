"""The rows of a report: in one look at the books, in batches, with what they come to."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any

from django.db import connection

from config.locks import one_snapshot
from payments.reports.as_of import take_as_of
from payments.reports.base import Narrowing, Report

Row = tuple[Any, ...]
Batch = list[Row]
Totals = dict[str, dict[str, int]]

ROWS_AT_ONCE = 5000
# A report of a million rows takes its time, also where web requests must be quick. All rows are wanted: a plan that is
# quick with the first of them is not what is asked for.
LOOK = """
    SELECT set_config('statement_timeout', %(longest)s, true),
           set_config('idle_in_transaction_session_timeout', %(longest)s, true),
           set_config('cursor_tuple_fraction', %(fraction)s, true)
"""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long one statement may take, how many rows come at once, and which part of all of them is wanted."""

    longest: str = "900s"
    rows_at_once: int = ROWS_AT_ONCE
    fraction: str = "1"


WHOLE = Pace()


@contextmanager
def batches_of(report: Report, narrowing: Narrowing, pace: Pace = WHOLE) -> Iterator[Iterator[Batch]]:
    """The report's rows in one REPEATABLE READ, READ ONLY transaction, through a server-side cursor.

    As of now, where the narrowing does not say and the report is not always of now. Refuses what the report does not
    take, naming the field.
    """
    narrowing = as_of_now(report, narrowing)
    parameters = report.parameters(narrowing)
    with one_snapshot():
        with connection.cursor() as cursor:
            cursor.execute(LOOK, {"longest": pace.longest, "fraction": pace.fraction})
        with connection.chunked_cursor() as cursor:
            cursor.execute(report.sql, parameters)
            # Row by row, Django's wrapper would cost more than the writing.
            yield iter(lambda: cursor.fetchmany(pace.rows_at_once), [])


def as_of_now(report: Report, narrowing: Narrowing) -> Narrowing:
    """The narrowing with its bounds; those of a report that is always of now have none. May refuse: `BooksBusy`."""
    if narrowing.as_of is not None or report.is_live:
        return narrowing
    return replace(narrowing, as_of=take_as_of())


def expected_rows(report: Report, narrowing: Narrowing) -> int:
    """What the database reckons, for a progress bar: nothing is counted."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {report.sql}", report.parameters(narrowing))
        plan = cursor.fetchone()[0]
    return int(plan[0]["Plan"]["Plan Rows"])


class Tally:
    """Counts the rows that pass, and adds up every amount per currency: the control totals of an export."""

    def __init__(self, report: Report) -> None:
        self.rows = 0
        self._sums: dict[int, dict[str, int]] = {minor: defaultdict(int) for _, minor, _ in report.totals}
        self._names = {minor: report.columns[amount].name for amount, minor, _ in report.totals}
        # The amounts that share a currency are looked at together.
        self._places: dict[int, list[int]] = defaultdict(list)
        for _, minor, currency in report.totals:
            self._places[currency].append(minor)

    def through(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """The same batches, counted."""
        for batch in batches:
            self._add(batch)
            self.rows += len(batch)
            yield batch

    def _add(self, batch: Batch) -> None:
        for place, minors in self._places.items():
            present = set(map(itemgetter(place), batch)) - {None}
            for currency in present:
                # Nearly always there is one currency: then no row is looked at twice.
                of_it = batch if len(present) == 1 else [row for row in batch if row[place] == currency]
                for minor in minors:
                    self._sums[minor][currency] += sum(filter(None, map(itemgetter(minor), of_it)))

    @property
    def totals(self) -> Totals:
        """Column → currency → sum in minor units; the same rows give the same order."""
        return {self._names[minor]: dict(sorted(sums.items())) for minor, sums in sorted(self._sums.items()) if sums}
