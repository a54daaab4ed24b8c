"""Rows 29 and 47: a text that somebody typed stays one, in whatever file, page, answer or line it comes out again.

Every column of text that takes it holds the same poison, in every row: whoever could write it is not asked.
"""

import csv
import io
import logging

import openpyxl
import pytest
from django.apps import apps
from django.db import DatabaseError, connection, models, transaction

from config.logging import ReadableFormatter, RequestContext
from payments.models import FileFormat
from payments.reports import REPORTS
from payments.reports.base import Kind
from tests.reports.golden import options_of
from tests.reports.test_spreadsheets import is_formula
from tests.security.matrix.knocking import ask, taken_back
from tests.security.matrix.operations import operations
from tests.security.matrix.pages import path_of, routes, visiting
from tests.security.matrix.test_bodies import OURS
from tests.security.matrix.world import World
from tests.support.reports import exported

pytestmark = pytest.mark.django_db
# A formula, a quote that ends an attribute, a tag.
POISON = """=1"'<i x>"""
MARKUP = "<i x>"
# What addresses and names of files are made of, what opens doors, and what code is looked up by.
ASIDE = {
    "pools.Competition.code",
    "pools.Competition.time_zone",
    "payments.JournalBatch.file_name",
    "payments.ExportSchedule.time_zone",
    "accounts.MessageTemplate.kind",
    "accounts.MessageTemplate.language",
    "accounts.User.password",
}


def columns() -> list[tuple[str, models.Field]]:
    """The table and field of every text that is free: no choice, no key of ours that is made of letters and numbers."""
    return [
        (model._meta.db_table, field)
        for model in apps.get_models()
        if model._meta.app_label in OURS and model._meta.managed and not model._meta.proxy
        for field in model._meta.local_concrete_fields
        if type(field) in (models.CharField, models.TextField) and not field.choices and not field.primary_key
        and f"{model._meta.label}.{field.name}" not in ASIDE
    ]  # fmt: skip


def poison() -> list[str]:
    """Put it into every column that takes it, past services and triggers; checks of the database hold."""
    taken = []
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        for table, field in columns():
            try:
                with transaction.atomic():
                    cursor.execute(
                        f'UPDATE "{table}" SET "{field.column}" = left(%s || ctid::text, %s)',
                        [POISON, field.max_length or 200],
                    )
                    if cursor.rowcount:
                        taken.append(f"{table}.{field.column}")
            except DatabaseError:
                continue
        cursor.execute("SET session_replication_role = origin")
    return taken


@pytest.fixture
def poisoned(world) -> World:
    with taken_back():
        found = poison()
        # What people type, among them.
        assert {"accounts_user.display_name", "pools_pool.name", "entries_requestchange.reason"} <= set(found)
        yield world


@pytest.mark.slow
def test_row_29_no_text_becomes_markup_on_any_page(poisoned):
    """As an admin sees it, who sees most."""
    shown, broken = 0, []
    with visiting(poisoned, "admin") as browser:
        for route in routes():
            with taken_back():
                answer = browser.get(path_of(route))
            text = b"".join(answer.streaming_content) if answer.streaming else answer.content
            if answer.status_code >= 500 or ("html" in answer["Content-Type"] and MARKUP.encode() in text):
                broken.append((route.template, answer.status_code))
            shown += b"&lt;i x&gt;" in text
    assert broken == []
    assert shown > 40


def test_row_29_no_text_becomes_markup_in_any_answer(poisoned):
    """An answer of the API is JSON or a file, whatever stands in it, and no browser takes it for a page."""
    told = 0
    for one in operations():
        if one.verb == "GET" and "export" not in one.name:
            with taken_back():
                client = poisoned.client("owner" if "/me" in one.name or "/entries/<" in one.name else "admin")
                client.raise_request_exception = False
                answer = client.get(poisoned.path(one.route.template))
                content = b"".join(answer.streaming_content) if answer.streaming else answer.content
            assert answer.status_code < 500, one.name
            assert "html" not in answer.get("Content-Type", ""), one.name
            assert answer["X-Content-Type-Options"] == "nosniff", one.name
            told += MARKUP.encode() in content
    assert told > 15


@pytest.mark.parametrize("kind", REPORTS)
def test_row_29_no_text_becomes_a_formula_in_any_file(poisoned, kind):
    """Of what people typed; ids and codes are ours or the provider's."""
    report = REPORTS[kind]
    options = options_of(kind)
    typed = [place for place, column in enumerate(report.columns) if column.kind is Kind.TEXT]
    lines = list(csv.reader(io.StringIO(exported(kind, options=options).decode("utf-8-sig"), newline="")))[1:]
    sheets = openpyxl.load_workbook(io.BytesIO(exported(kind, FileFormat.XLSX, options=options)))

    assert [line[place] for line in lines for place in typed if is_formula(line[place])] == []
    assert [cell for sheet in sheets for row in sheet.iter_rows() for cell in row if cell.data_type == "f"] == []


def test_row_47_no_text_becomes_a_second_line_of_the_log(world):
    """Line breaks and escapes of terminals in the parts of a call that a log may speak of."""
    written = []

    class Keeper(logging.Handler):
        def emit(self, record):
            RequestContext().filter(record)
            written.append(ReadableFormatter("%(message)s").format(record))

    keeper, root = Keeper(), logging.getLogger()
    level = root.level
    root.addHandler(keeper)
    root.setLevel(logging.INFO)
    try:
        with taken_back():
            for path in (
                "/api/v1/pools/1%0AERROR forged%1b[31m",
                "/admin/%0d%0aERROR forged",
                "/%e2%80%a8ERROR forged",
            ):
                ask(world.client("owner"), "GET", path)
            ask(world.client("owner"), "PATCH", "/api/v1/me", {"display_name": "A\nERROR forged"})
            ask(
                world.client("anonymous"), "POST", "/api/v1/auth/token", {"email": "a\r\nERROR forged", "password": "b"}
            )
    finally:
        root.removeHandler(keeper)
        root.setLevel(level)
    assert len(written) >= 5
    assert [line for line in written if set(line) & set("\n\r\x1b\u2028\x85")] == []
