"""Reading the finance reports back, with other libraries than those that wrote them."""

import csv
import io

import openpyxl

from payments.exports.writing import exported_file
from payments.models import FileFormat
from payments.reports import Narrowing


def rows(kind, file_format=FileFormat.CSV, **narrowing):
    """The report read back by another library than wrote it, as dicts of texts and numbers."""
    with exported_file(kind=kind, narrowing=Narrowing(**narrowing), file_format=file_format) as file:
        return from_csv(file.read()) if file_format is FileFormat.CSV else from_xlsx(file)


def from_csv(raw):
    return list(csv.DictReader(io.StringIO(raw.decode(), newline="")))


def from_xlsx(file):
    book = openpyxl.load_workbook(file, read_only=True)
    found = []
    for sheet in book:
        heading, *lines = sheet.iter_rows(values_only=True)
        found += [dict(zip(heading, line, strict=True)) for line in lines]
    return found
