"""`manage.py export_report KIND -o FILE`: a finance report as CSV or XLSX."""

import os
import shutil
import sys
from argparse import ArgumentTypeError
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.errors import DomainError
from payments.reports import REPORTS, Narrowing
from payments.services.exports import FileFormat, export_report, exported_file

STANDARD_OUTPUT = "-"


def a_day(text: str) -> date:
    """`2026-01-31`."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a day such as 2026-01-31") from None


class Command(BaseCommand):
    """Writes the whole file or none of it."""

    help = "Write a finance report: " + "; ".join(f"{r.kind} (days: {r.day})" for r in REPORTS.values()) + "."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", metavar="KIND", choices=tuple(REPORTS), help=", ".join(REPORTS))
        parser.add_argument("--pool", type=int, metavar="ID", help="only this pool")
        parser.add_argument("--from", dest="first", type=a_day, metavar="D", help="first day, in the finance zone")
        parser.add_argument("--to", dest="last", type=a_day, metavar="D", help="last day, included")
        parser.add_argument("--format", choices=tuple(FileFormat), help="csv, unless the file's name ends in .xlsx")
        parser.add_argument("-o", "--output", required=True, metavar="FILE", help="- for the standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        output: str = options["output"]
        file_format = FileFormat(options["format"] or _format_of(output))
        narrowing = Narrowing(options["pool"], options["first"], options["last"])
        try:
            if output == STANDARD_OUTPUT:
                _to_standard_output(options["kind"], narrowing, file_format)
            else:
                count = _to_file(Path(output), options["kind"], narrowing, file_format)
                self.stdout.write(f"{count} rows in {output}")
        except DomainError as refusal:
            raise CommandError(refusal.message) from refusal
        except OSError as failure:
            raise CommandError(f"{output} cannot be written: {failure.strerror or failure}") from failure


def _format_of(output: str) -> FileFormat:
    return FileFormat.XLSX if output.lower().endswith(".xlsx") else FileFormat.CSV


def _to_standard_output(kind: str, narrowing: Narrowing, file_format: FileFormat) -> None:
    with exported_file(kind=kind, narrowing=narrowing, file_format=file_format) as file:
        shutil.copyfileobj(file, sys.stdout.buffer)
    sys.stdout.buffer.flush()


def _to_file(path: Path, kind: str, narrowing: Narrowing, file_format: FileFormat) -> int:
    """Under another name until it is whole: half a report must not look like one."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    try:
        with unfinished.open("w+b") as file:
            count = export_report(kind=kind, narrowing=narrowing, file_format=file_format, file=file)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return count
