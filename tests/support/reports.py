"""Reading the finance reports back, with other libraries than those that wrote them."""

import csv
import io

import openpyxl

from payments.exports.writing import export_report
from payments.models import FileFormat
from payments.reports import Narrowing


def exported(kind, file_format=FileFormat.CSV, **narrowing):
    """The bytes of the report's file."""
    file = io.BytesIO()
    export_report(kind=kind, narrowing=Narrowing(**narrowing), file_format=file_format, file=file)
    return file.getvalue()


def rows(kind, file_format=FileFormat.CSV, **narrowing):
    """The report read back by another library than wrote it, as dicts of texts and numbers."""
    raw = exported(kind, file_format, **narrowing)
    return from_csv(raw) if file_format is FileFormat.CSV else from_xlsx(io.BytesIO(raw))


def from_csv(raw):
    return list(csv.DictReader(io.StringIO(raw.decode(), newline="")))


def from_xlsx(file):
    book = openpyxl.load_workbook(file, read_only=True)
    found = []
    for sheet in book:
        heading, *lines = sheet.iter_rows(values_only=True)
        found += [dict(zip(heading, line, strict=True)) for line in lines]
    return found
