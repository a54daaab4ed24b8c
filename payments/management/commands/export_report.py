"""`manage.py export_report KIND -o FILE`: a finance report as a file, and a row that says what it was of."""

import os
import shutil
import sys
from argparse import ArgumentTypeError
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.clock import database_now
from config.errors import DomainError
from config.files import filled_file
from payments.exports.asking import record_command
from payments.exports.formats import Sheet
from payments.exports.rows import as_of_now
from payments.exports.writing import Written, checked, write_sheet
from payments.models import FileFormat
from payments.reports import REPORTS, Narrowing

STANDARD_OUTPUT = "-"
ENDINGS = {".xlsx": FileFormat.XLSX, ".jsonl": FileFormat.JSONL, ".pdf": FileFormat.PDF}


def a_day(text: str) -> date:
    """`2026-01-31`."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a day such as 2026-01-31") from None


def _options_of() -> list[str]:
    return [f"{r.kind}: {', '.join(option.name for option in r.options)}" for r in REPORTS.values() if r.options]


def an_option(text: str) -> tuple[str, str]:
    """`year=2026`."""
    name, is_given, value = text.partition("=")
    if not is_given:
        raise ArgumentTypeError(f"{text!r} is not an option such as year=2026")
    return name, value


class Command(BaseCommand):
    """Writes the whole file or none of it. Nobody's name is on it: who may run this sees everything anyway."""

    help = "Write a finance report: " + "; ".join(f"{r.kind} (days: {r.day})" for r in REPORTS.values()) + "."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", metavar="KIND", choices=tuple(REPORTS), help=", ".join(REPORTS))
        parser.add_argument("--pool", type=int, metavar="ID", help="only this pool")
        parser.add_argument("--from", dest="first", type=a_day, metavar="D", help="first day, in the finance zone")
        parser.add_argument("--to", dest="last", type=a_day, metavar="D", help="last day, included")
        parser.add_argument(
            "--option", dest="options", type=an_option, action="append", default=[], metavar="NAME=VALUE",
            help="of the report: " + "; ".join(_options_of()),
        )  # fmt: skip
        parser.add_argument(
            "--format", choices=tuple(FileFormat), help="csv, unless the file's name ends in .xlsx, .jsonl or .pdf"
        )
        parser.add_argument("-o", "--output", required=True, metavar="FILE", help="- for the standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        output: str = options["output"]
        file_format = FileFormat(options["format"] or ENDINGS.get(Path(output).suffix.lower(), FileFormat.CSV))
        narrowing = Narrowing(options["pool"], options["first"], options["last"], dict(options["options"]))
        try:
            report = checked(options["kind"], narrowing, file_format)
            sheet = Sheet(report, as_of_now(report, narrowing))
            written = _write(sheet, file_format, output)
            record_command(sheet=sheet, file_format=file_format, written=written, now=database_now())
            if output != STANDARD_OUTPUT:
                self.stdout.write(f"{written.rows} rows in {output}")
        except DomainError as refusal:
            raise CommandError(refusal.message) from refusal
        except OSError as failure:
            raise CommandError(f"{output} cannot be written: {failure.strerror or failure}") from failure


def _write(sheet: Sheet, file_format: FileFormat, output: str) -> Written:
    if output != STANDARD_OUTPUT:
        return _to_file(Path(output), sheet, file_format)
    found: list[Written] = []
    with filled_file(lambda file: found.append(write_sheet(sheet, file_format, file))) as file:
        shutil.copyfileobj(file, sys.stdout.buffer)
    sys.stdout.buffer.flush()
    return found[0]


def _to_file(path: Path, sheet: Sheet, file_format: FileFormat) -> Written:
    """Under another name until it is whole: half a report must not look like one."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    try:
        with unfinished.open("w+b") as file:
            written = write_sheet(sheet, file_format, file)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return written
