"""The kinds of files that a report is written as. Each writer is given the rows in batches and makes the same bytes
for the same rows: no clock, no random name, nothing of the machine is in them."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain, islice
from typing import IO, Any

from django.conf import settings

from config.cells import cell
from config.money import exponent, to_decimal
from payments.exports.csv_file import write_csv, write_raw_csv
from payments.exports.rows import Batch, Row, Tally
from payments.exports.xlsx_file import Look, write_xlsx
from payments.models import FileFormat
from payments.reports.base import Narrowing, Report, code
from pools.models import Pool

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
MARK_COLUMN = "exported_for"


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is to be written: a report, narrowed, marked with whom it is for (nobody: "")."""

    report: Report
    narrowing: Narrowing
    watermark: str = ""

    @property
    def marked(self) -> Report:
        """The report with a last column that says, in every row, for whom it was written: so that it stays where rows
        are cut out and sent on."""
        if not self.watermark:
            return self.report
        return replace(self.report, columns=(*self.report.columns, code(MARK_COLUMN)))

    def mark(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """The rows of `marked`."""
        if not self.watermark:
            yield from batches
            return
        # Its text has a name in it, and the column is not looked at again.
        tail = (cell(self.watermark),)
        for batch in batches:
            yield [row + tail for row in batch]


Writer = Callable[[Sheet, Iterable[Batch], Tally, IO[bytes]], None]


@dataclass(frozen=True, slots=True)
class Form:
    """How files of a format end, what they are called in HTTP, and who writes them."""

    ending: str
    content_type: str
    write: Writer


def _csv(sheet: Sheet, batches: Iterable[Batch], tally: Tally, file: IO[bytes]) -> None:
    write_csv(sheet.marked, chain.from_iterable(sheet.mark(batches)), file)


def _csv_for_excel(sheet: Sheet, batches: Iterable[Batch], tally: Tally, file: IO[bytes]) -> None:
    file.write(BYTE_ORDER_MARK)
    _csv(sheet, batches, tally, file)


def _csv_raw(sheet: Sheet, batches: Iterable[Batch], tally: Tally, file: IO[bytes]) -> None:
    """Texts as they were typed: for programs, which compare them with their own."""
    write_raw_csv(sheet.marked, chain.from_iterable(sheet.mark(batches)), file)


def _jsonl(sheet: Sheet, batches: Iterable[Batch], tally: Tally, file: IO[bytes]) -> None:
    """One object for each row; amounts are texts, because a number of JSON is often read as a float."""
    names = [column.name for column in sheet.marked.columns]
    # An amount is a decimal, which JSON does not know: it becomes a text.
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str).encode
    for batch in sheet.mark(batches):
        lines = (encode(dict(zip(names, row, strict=True))) for row in batch)
        file.write(("\n".join(lines) + "\n").encode())


def _xlsx(sheet: Sheet, batches: Iterable[Batch], tally: Tally, file: IO[bytes]) -> None:
    as_of = sheet.narrowing.as_of
    look = Look(made_at=as_of.instant if as_of else None, mark=sheet.watermark)
    write_xlsx(sheet.marked, chain.from_iterable(sheet.mark(batches)), file, look=look)


def _pdf(sheet: Sheet, batches: Iterable[Batch], tally: Tally, file: IO[bytes]) -> None:
    # The typesetter is large: it is loaded where something is printed.
    from payments.exports import pdf

    # One more than is printed is refused there; no more than that is held.
    rows = list(islice(chain.from_iterable(batches), pdf.MOST_ROWS + 1))
    file.write(pdf.render(sheet.report.pdf, printed(sheet, rows, tally)))


FORMS = {
    FileFormat.CSV: Form("csv", "text/csv; charset=utf-8", _csv),
    FileFormat.CSV_EXCEL: Form("csv", "text/csv; charset=utf-8", _csv_for_excel),
    FileFormat.CSV_RAW: Form("raw.csv", "text/csv; charset=utf-8", _csv_raw),
    FileFormat.XLSX: Form("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", _xlsx),
    FileFormat.JSONL: Form("jsonl", "application/x-ndjson", _jsonl),
    FileFormat.PDF: Form("pdf", "application/pdf", _pdf),
}


def formats_of(report: Report) -> list[FileFormat]:
    """What a report can be written as: only those with a template are printed."""
    return [each for each in FileFormat if each is not FileFormat.PDF or report.pdf]


def printed(sheet: Sheet, rows: list[Row], tally: Tally) -> dict[str, Any]:
    """What a template of templates/reports is given."""
    report, as_of = sheet.report, sheet.narrowing.as_of
    return {
        "kind": report.kind,
        "title": report.title,
        "describe": report.describe,
        "narrowing": narrowing_in_words(report, sheet.narrowing, _name_of_pool(sheet.narrowing)),
        "as_of": _iso(as_of.instant) if as_of else "",
        "as_of_posting": as_of.posting_id if as_of else 0,
        "zone": settings.FINANCE_TIME_ZONE.key,
        "watermark": sheet.watermark,
        "columns": [{"name": column.name, "kind": column.kind.value} for column in report.columns],
        "rows": [[value if value is None or isinstance(value, int) else str(value) for value in row] for row in rows],
        "totals": {
            name: {
                currency: {"minor": minor, "amount": f"{to_decimal(minor, currency):,.{exponent(currency)}f}"}
                for currency, minor in sums.items()
            }
            for name, sums in tally.totals.items()
        },
    }


def narrowing_in_words(report: Report, narrowing: Narrowing, pool_name: str) -> list[list[str]]:
    """What was asked for, as label and value."""
    found: list[list[str]] = []
    if narrowing.pool_id is not None:
        found.append(["Pool", f"{pool_name} ({narrowing.pool_id})"])
    if narrowing.first_day:
        found.append(["From", narrowing.first_day.isoformat()])
    if narrowing.last_day:
        found.append(["To", narrowing.last_day.isoformat()])
    for option in report.options:
        given = narrowing.options.get(option.name)
        value = option.default if given in (None, "") else given
        if value is not None:
            found.append([option.label, option.choices.get(str(value), str(value))])
    return found


def _name_of_pool(narrowing: Narrowing) -> str:
    return Pool.objects.get(pk=narrowing.pool_id).name if narrowing.pool_id is not None else ""


def _iso(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")
