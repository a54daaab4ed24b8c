"""The first rows of a report, before it is written: by the same query and the same writer as its file.

What is looked at is as of an instant. `token_of` keeps that instant for the form, so that the file that is asked for
next has the very same rows, however much is booked meanwhile.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core import signing
from django.db import OperationalError

from accounts.models import User
from config.errors import Code, Conflict, Unavailable
from payments.exports.csv_file import write_csv
from payments.exports.rights import check_may_export
from payments.exports.rows import Pace, as_of_now, batches_of, expected_rows
from payments.exports.writing import checked
from payments.models import FileFormat
from payments.reports import Narrowing, Report
from payments.reports.as_of import AsOf
from payments.reports.base import Column, Kind

ROWS = 20
# Somebody waits for the page: what takes longer is for the worker. The first rows are wanted, not all.
PACE = Pace(longest="8s", rows_at_once=ROWS + 1, fraction="0.01")
SALT = "report-preview"
LIFETIME = timedelta(hours=1)
TOO_LONG = "Its first rows take too long to be waited for. Have it written: a worker has the time."


@dataclass(frozen=True, slots=True)
class Preview:
    """The first rows as the CSV file has them. `expected` is what the database reckons there are of all of them."""

    columns: Sequence[Column]
    rows: list[list[str]]
    has_more: bool
    expected: int
    as_of: AsOf | None

    @property
    def marked(self) -> list[list[tuple[str, bool]]]:
        """The rows, each cell with whether it is a number: those stand to the right."""
        numbers = [column.kind in (Kind.NUMBER, Kind.MONEY) for column in self.columns]
        return [list(zip(row, numbers, strict=True)) for row in self.rows]


def first_rows(*, kind: str, narrowing: Narrowing, by: User) -> Preview:
    """The first rows of a report as of the narrowing's instant, else of now.

    Refuses what asking for the file refuses, a report that needs a second name, of which nothing is shown before, and
    (503) one whose first rows take too long.
    """
    report = checked(kind, narrowing, FileFormat.CSV)
    check_may_export(by, kind=report.kind, is_personal=report.is_personal)
    if report.needs_approval:
        raise Conflict(Code.SECOND_NAME_NEEDED, "Somebody else has to agree first: nothing of it is shown before.")
    narrowing = as_of_now(report, narrowing)
    try:
        with batches_of(report, narrowing, PACE) as batches:
            rows = next(batches, [])
        expected = expected_rows(report, narrowing)
    except OperationalError as late:
        raise Unavailable(Code.SERVICE_UNAVAILABLE, TOO_LONG) from late
    has_more = len(rows) > ROWS
    cells = _as_written(report, rows[:ROWS])
    return Preview(report.columns, cells, has_more, max(expected, len(rows)), narrowing.as_of)


def token_of(preview: Preview, kind: str) -> str:
    """What stands in the form, so that the file is of the same instant; nothing for a report that is always of now."""
    as_of = preview.as_of
    if as_of is None:
        return ""
    return signing.dumps([kind, as_of.instant.isoformat(), dict(as_of.bounds)], salt=SALT)


def seen_at(token: str, kind: str) -> AsOf | None:
    """The instant of a token of ours for this report; None for any other, and once it is an hour old."""
    try:
        of, instant, bounds = signing.loads(token, salt=SALT, max_age=LIFETIME)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return AsOf(datetime.fromisoformat(instant), bounds) if of == kind else None


def _as_written(report: Report, rows: Sequence[tuple[object, ...]]) -> list[list[str]]:
    file = io.BytesIO()
    write_csv(report, rows, file)
    return list(csv.reader(io.StringIO(file.getvalue().decode(), newline="")))[1:]
