"""The statement on an account's page: of the days asked for, of one moment, and the proof of it."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.clock import database_now
from payments.ledger.balances import Standing
from payments.ledger.statements import account_statement
from tests.support.ledger import UNALLOCATED, account, posted
from tests.support.threads import run_together

pytestmark = pytest.mark.django_db


@pytest.fixture
def as_finance(client, finance):
    client.force_login(finance)
    return client


def test_a_statement_is_narrowed_by_days_gone_through_and_proves_itself(as_finance, monkeypatch):
    monkeypatch.setattr("payments.admin.statement.LINES_A_PAGE", 2)
    for cents in (100, 250, 650):
        posted(cents)
    page = f"/admin/payments/account/{account(UNALLOCATED)}/change/"

    shown = as_finance.get(page, {"period": "all"}).context["statement"]
    assert [line["balance"] for line in shown["lines"]] == ["1.00 USD", "3.50 USD"]
    assert (shown["opening"], shown["debits"], shown["credits"], shown["closing"], shown["differs"]) == (
        "0.00 USD", "0.00 USD", "10.00 USD", "10.00 USD", "",
    )  # fmt: skip
    rest = as_finance.get(f"{page}?{shown['next']}").context["statement"]
    assert (rest["carried"], [line["balance"] for line in rest["lines"]], rest["next"]) == (
        "3.50 USD", ["10.00 USD"], "",
    )  # fmt: skip
    # More lines than a page has: what is looked at is this month.
    assert as_finance.get(page).context["statement"]["wish"].period == "this_month"
    past = as_finance.get(page, {"since": "2020-01-01", "until": "2020-01-31"}).context["statement"]
    assert (past["lines"], past["closing"], past["differs"]) == ([], "0.00 USD", "")
    # Days that are none, and a place in another statement, are left out of account.
    assert as_finance.get(page, {"since": "2020-02-31", "until": "0001-01-01"}).status_code == 200
    other = shown["next"].replace("period=all", "period=this_month")
    assert as_finance.get(f"{page}?{other}").context["statement"]["carried"] == "0.00 USD"


def test_a_statement_between_two_days_is_the_same_whichever_is_given_first(as_finance):
    posted(100)
    page = f"/admin/payments/account/{account(UNALLOCATED)}/change/"
    days = [
        {"since": first, "until": last} for first, last in (("2020-01-01", "2100-01-31"), ("2100-01-31", "2020-01-01"))
    ]
    shown = [as_finance.get(page, given).context["statement"] for given in days]
    assert [(one["closing"], len(one["lines"]), one["differs"]) for one in shown] == [("1.00 USD", 1, "")] * 2


def test_a_place_in_this_month_is_none_in_the_next(as_finance, monkeypatch):
    monkeypatch.setattr("payments.admin.statement.LINES_A_PAGE", 2)
    for cents in (100, 250, 650):
        posted(cents)
    page = f"/admin/payments/account/{account(UNALLOCATED)}/change/"
    shown = as_finance.get(page, {"period": "this_month"}).context["statement"]
    monkeypatch.setattr("payments.admin.statement.database_now", lambda: database_now() + timedelta(days=40))
    later = as_finance.get(f"{page}?{shown['next']}").context["statement"]
    assert (later["carried"], later["lines"], later["differs"]) == ("10.00 USD", [], "")


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_what_is_posted_while_a_statement_is_made_is_no_difference(as_finance, monkeypatch):
    posted(100)

    def while_somebody_posts(**asked):
        (outcome,) = run_together([lambda: posted(250)])
        assert outcome.error is None
        return account_statement(**asked)

    monkeypatch.setattr("payments.admin.statement.account_statement", while_somebody_posts)
    shown = as_finance.get(f"/admin/payments/account/{account(UNALLOCATED)}/change/").context["statement"]
    assert (shown["closing"], shown["differs"]) == ("1.00 USD", "")


def test_a_statement_that_misses_the_balance_says_by_how_much(as_finance, monkeypatch):
    posted(100)
    monkeypatch.setattr("payments.admin.statement.sums_of", lambda ids: {ids[0]: Standing(-90, 1, 0)})
    page = as_finance.get(f"/admin/payments/account/{account(UNALLOCATED)}/change/").content.decode()
    assert "misses the balance by 0.10 USD" in page


def test_a_statement_is_for_who_may_see_the_journal(client, moderator):
    posted(100)
    page = f"/admin/payments/account/{account(UNALLOCATED)}/change/"
    client.force_login(moderator)
    shown = []
    for name in ("view_account", "view_journalentry"):
        moderator.user_permissions.add(Permission.objects.get(content_type__app_label="payments", codename=name))
        shown.append(client.get(page).context["statement"] is not None)
    assert shown == [False, True]


def test_a_statement_costs_the_same_at_one_line_and_at_three(as_finance):
    def queries():
        with CaptureQueriesContext(connection) as asked:
            as_finance.get(f"/admin/payments/account/{account(UNALLOCATED)}/change/")
        return len(asked)

    posted(100)
    queries()
    few = queries()
    posted(200), posted(300)
    assert queries() == few <= 17
