"""A report of plain numbers, a folder of its own for files, and people of finance."""

import pytest

from payments.reports import REPORTS
from payments.reports.base import Report, code, money, text
from payments.reports.options import number
from payments.reports.sql import money_sql
from tests.factories.accounts import FinanceFactory
from tests.support.exporting import store_in

NUMBERS = Report(
    kind="numbers",
    title="Numbers: all & sundry, with a title that is far too long",
    day="no day",
    columns=(code("id"), text("name"), *money("amount"), code("currency")),
    sql=f"""
        SELECT i::text, 'name ' || i, {money_sql("i * 100", "c.currency")}, c.currency
        FROM generate_series(1, %(count)s) i
        CROSS JOIN LATERAL (SELECT CASE WHEN i %% 3 = 0 THEN 'jpy' ELSE 'usd' END AS currency) c
        WHERE i <= 1000000 + %(as_of_posting)s ORDER BY i
    """,
    options=(number("count", "How many", least=1, most=10_000_000, default=3),),
    is_personal=False,
)


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    """Where files are kept."""
    return store_in(settings, tmp_path / "reports")


@pytest.fixture
def numbers(monkeypatch):
    """As many as the option `count` says: yen where it can be divided by three."""
    monkeypatch.setitem(REPORTS, "numbers", NUMBERS)
    return NUMBERS


@pytest.fixture
def changed(monkeypatch):
    """Change the report of numbers: `changed(is_personal=True)`."""
    from dataclasses import replace

    def change(**fields):
        report = replace(REPORTS.get("numbers", NUMBERS), **fields)
        monkeypatch.setitem(REPORTS, "numbers", report)
        return report

    return change


@pytest.fixture
def finance(db):
    """Somebody who may export."""
    return FinanceFactory(display_name="Fay", email="fay@example.test")


@pytest.fixture
def colleague(db):
    """Another of finance, for the second name."""
    return FinanceFactory()
