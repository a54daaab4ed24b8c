"""What stands where, now and then: the trial balance and the statements, in Python and over the API."""

from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase as HypothesisTestCase

from config.clock import database_now
from payments.ledger import rules
from payments.ledger.accounts import AccountName, Kind
from payments.ledger.balances import Detail, balance_of, last_entry_by, trial_balance
from payments.ledger.models import JournalEntry
from payments.ledger.posting import post
from payments.ledger.rules import Sum, fee_of
from payments.ledger.statements import account_statement
from tests.factories.accounts import UserFactory
from tests.factories.pools import PoolFactory
from tests.support.calls import call, respond
from tests.support.ledger import CLEARING, UNALLOCATED, account, draft, posted

pytestmark = pytest.mark.django_db


def told(found):
    return [(row.currency, row.kind, row.debit, row.credit) for row in found.rows]


def test_debits_and_credits_of_each_kind_per_currency_and_the_proof():
    posted(100), posted(-30), posted(50, currency="jpy"), posted(7, livemode=True)

    found = trial_balance(livemode=False)

    assert told(found) == [
        ("jpy", Kind.CLEARING, 50, 0), ("jpy", Kind.UNALLOCATED, 0, 50),
        ("usd", Kind.CLEARING, 100, 30), ("usd", Kind.UNALLOCATED, 30, 100),
    ]  # fmt: skip
    assert found.proof == {"jpy": 0, "usd": 0}
    assert told(trial_balance(livemode=True)) == [("usd", Kind.CLEARING, 7, 0), ("usd", Kind.UNALLOCATED, 0, 7)]


def test_books_without_entries_are_empty_and_right():
    assert told(trial_balance(livemode=True)) == []
    assert told(trial_balance(as_of=database_now(), livemode=True)) == []
    assert last_entry_by(database_now()) == 0


def test_pools_and_accounts_are_told_apart_where_that_is_asked_for():
    pools, player = [PoolFactory(), PoolFactory()], UserFactory()
    money = Sum(1000, "usd", False, database_now())
    for number, pool in enumerate(pools, 1):
        post(rules.charge_received("stripe", f"ch_{number}", money))
        post(rules.place_paid(number, fee_of(pool.pk, 1000, 100), money))
    post(rules.goodwill_decided("r", pools[0].pk, player.pk, Sum(5, "usd", False, database_now())))

    by_pool = trial_balance(livemode=False, detail=Detail.POOL)
    assert [(row.pool_id, row.credit) for row in by_pool.rows if row.kind == Kind.PRIZE_POT] == [
        (pools[0].pk, 990), (pools[1].pk, 990),
    ]  # fmt: skip
    by_account = trial_balance(livemode=False, detail=Detail.ACCOUNT)
    owed = next(row for row in by_account.rows if row.kind == Kind.REFUND_PAYABLE)
    assert (owed.player_id, owed.balance) == (player.pk, -5)
    assert [row.provider for row in by_account.rows if row.kind == Kind.CLEARING] == ["stripe"]
    assert all(row.account_id for row in by_account.rows)
    assert by_pool.proof == by_account.proof == {"usd": 0}


class AnyPast(HypothesisTestCase):
    @settings(max_examples=40, deadline=None)
    @given(st.lists(st.integers(-(10**9), 10**9).filter(bool), min_size=1, max_size=12), st.data())
    def test_as_of_any_instant_the_books_are_what_had_been_posted_by_then(self, amounts, data):
        instants = []
        for amount in amounts:
            post(draft(amount))
            instants.append(database_now())
        index = data.draw(st.integers(0, len(amounts) - 1))

        found = trial_balance(as_of=instants[index], livemode=False)

        assert found.proof == {"usd": 0}
        assert found.rows[0].balance == sum(amounts[: index + 1])
        assert trial_balance(livemode=False).rows[0].balance == sum(amounts)
        assert balance_of(CLEARING, "usd", livemode=False) == sum(amounts)


def test_the_past_is_answered_alike_whatever_is_posted_later():
    posted(100)
    then = database_now()
    before = trial_balance(as_of=then, livemode=False)
    posted(900)

    assert trial_balance(as_of=then, livemode=False) == before
    assert trial_balance(as_of=then - timedelta(days=1), livemode=False).rows == []


@pytest.mark.parametrize(
    ("currency", "fee", "part", "pot", "house"),
    [("jpy", 501, 1000, 451, 50), ("usd", 999, 1250, 875, 124), ("kwd", 12_340, 333, 11_930, 410)],
)
def test_receipt_place_and_refund_in_each_kind_of_currency(currency, fee, part, pot, house):
    """0, 2 and 3 decimals: minor units all the way, the house's part rounded down, nothing left over."""
    pool, player = PoolFactory(currency=currency, entry_fee_cents=fee), UserFactory()
    money, split = Sum(fee, currency, False, database_now()), fee_of(pool.pk, fee, part)
    of_pool = {kind: AccountName(kind, pool_id=pool.pk) for kind in (Kind.PRIZE_POT, Kind.FEE_REVENUE)}

    post(rules.charge_received("stripe", "ch_1", money))
    paid = post(rules.place_paid(1, split, money))
    stands = {kind: -balance_of(name, currency, livemode=False) for kind, name in of_pool.items()}
    assert stands == {Kind.PRIZE_POT: pot, Kind.FEE_REVENUE: house}
    post(rules.place_taken(1, split, money, paid))
    post(rules.refund_decided("r", player.pk, money))
    assert -balance_of(AccountName(Kind.REFUND_PAYABLE, player_id=player.pk), currency, livemode=False) == fee
    post(rules.refund_paid("r", "stripe", player.pk, money))

    assert {row.balance for row in trial_balance(livemode=False).rows} == {0}
    assert trial_balance(livemode=False).proof == {currency: 0}


# --- Statements -------------------------------------------------------------------------------------------------


def test_opening_lines_and_closing_fit_together_over_all_pages():
    for amount in (100, 20):
        posted(amount)
    since = database_now()
    for amount in (3, -5, 7, 11):
        posted(amount)
    until = database_now()
    posted(1000)
    clearing = account()

    pages, after = [], None
    while True:
        page = account_statement(account_id=clearing, since=since, until=until, after=after, limit=3)
        pages.append(page)
        if page.next is None:
            break
        after = page.next

    assert [(page.opening, page.carried, page.closing) for page in pages] == [(120, 120, 136), (120, 125, 136)]
    lines = [line for page in pages for line in page.lines]
    assert [(line.amount, line.balance) for line in lines] == [(3, 123), (-5, 118), (7, 125), (11, 136)]
    whole = account_statement(account_id=clearing)
    assert (whole.opening, whole.closing, len(whole.lines)) == (0, 1136, 7)


def test_a_page_of_the_pot_costs_the_same_at_one_and_at_many(django_assert_num_queries):
    posted(1)
    clearing = account()
    for _ in range(2):
        with django_assert_num_queries(3):
            account_statement(account_id=clearing)
        posted(1), posted(1)


# --- Over the API -----------------------------------------------------------------------------------------------


def test_finance_reads_the_trial_balance_over_the_api(api, finance):
    posted(100)
    then = database_now()
    posted(900)

    status, data = call(api(finance), "GET", "/ledger/trial-balance")
    assert status == 200
    assert [(row["kind"], row["debit_cents"], row["balance_cents"]) for row in data["rows"]] == [
        ("clearing", 1000, 1000), ("unallocated", 0, -1000),
    ]  # fmt: skip
    assert data["proof"] == [{"currency": "usd", "difference_cents": 0}]
    assert data["as_of"] is None

    status, data = call(api(finance), "GET", "/ledger/trial-balance", as_of=then.isoformat(), detail="account")
    assert status == 200
    assert [row["debit_cents"] for row in data["rows"]] == [100, 0]
    assert data["rows"][0]["account"] == account()
    assert data["through_entry"] == JournalEntry.objects.earliest("id").pk
    assert call(api(finance), "GET", "/ledger/trial-balance", as_of="yesterday") == (400, "VALIDATION_ERROR")
    assert call(api(finance), "GET", "/ledger/trial-balance", livemode=True)[1]["rows"] == []


def test_finance_reads_a_statement_page_by_page_over_the_api(api, finance):
    for amount in (3, -5, 7):
        posted(amount)
    path = f"/ledger/accounts/{account(UNALLOCATED)}/statement"

    status, first = call(api(finance), "GET", path, limit=2)
    assert status == 200
    assert (first["account"]["kind"], first["opening_cents"], first["closing_cents"]) == ("unallocated", 0, -5)
    second = call(api(finance), "GET", path, limit=2, cursor=first["next_cursor"])[1]
    lines = first["lines"] + second["lines"]
    assert [(line["amount_cents"], line["balance_cents"]) for line in lines] == [(-3, -3), (5, 2), (-7, -5)]
    assert (second["carried_cents"], second["next_cursor"]) == (2, None)
    assert lines[0]["booked_for"].startswith("test:")
    assert call(api(finance), "GET", path, cursor="forged") == (400, "VALIDATION_ERROR")
    now = database_now()
    backwards = {"since": now.isoformat(), "until": (now - timedelta(days=1)).isoformat()}
    assert call(api(finance), "GET", path, **backwards) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize("path", ["/ledger/trial-balance", "/ledger/accounts/1/statement"])
def test_nobody_else_reads_the_books(api, player, moderator, path):
    assert call(api(), "GET", path) == (401, "NOT_AUTHENTICATED")
    for stranger in (player, moderator):
        assert call(api(stranger), "GET", path) == (403, "FORBIDDEN")


def test_an_account_that_is_not_there_is_not_found(api, finance):
    assert call(api(finance), "GET", "/ledger/accounts/999999999/statement") == (404, "NOT_FOUND")
    assert respond(api(finance), "GET", "/ledger/accounts/x/statement").status_code == 404


# --- In the back office -----------------------------------------------------------------------------------------

PAGES = ("journalentry/", "account/", "journalentry/trial-balance", "journalentry/proof")


@pytest.fixture
def as_finance(client, finance):
    client.force_login(finance)
    return client


@pytest.mark.parametrize("page", PAGES)
def test_finance_sees_the_books_and_moderators_do_not(client, finance, moderator, page):
    posted(100)
    client.force_login(finance)
    assert client.get(f"/admin/payments/{page}", follow=True).status_code == 200
    client.force_login(moderator)
    assert client.get(f"/admin/payments/{page}", follow=True).status_code == 403


def test_the_page_of_an_entry_shows_its_lines_and_it_is_found_by_its_source(as_finance):
    entry = posted(12_345, source=("charge", "stripe:ch_77"))
    posted(1)

    found = as_finance.get("/admin/payments/journalentry/", {"q": "stripe:ch_77"}).content.decode()
    assert "stripe:ch_77" in found
    assert found.count("/journalentry/") < 40
    page = as_finance.get(f"/admin/payments/journalentry/{entry}/change/").content.decode()
    assert page.count("123.45 USD") == 3
    assert "Clearing of stripe (USD, test)" in page


def test_the_page_of_an_account_shows_its_statement(as_finance):
    posted(100), posted(250)

    page = as_finance.get(f"/admin/payments/account/{account(UNALLOCATED)}/change/").content.decode()

    assert "Closing balance" in page
    assert "3.50 USD" in page
    listed = as_finance.get("/admin/payments/account/").content.decode()
    assert listed.count("3.50 USD") == 2


@pytest.mark.parametrize("after", ["1:--1", "²:1", "1:²", "9" * 5000 + ":0", ":"])
def test_an_odd_place_in_a_statement_is_its_beginning(as_finance, after):
    posted(100), posted(250)

    page = as_finance.get(f"/admin/payments/account/{account(UNALLOCATED)}/change/", {"after": after})

    assert "1.00 USD" in page.content.decode()


def test_the_trial_balance_page_shows_the_past_and_makes_a_file(as_finance):
    posted(100)
    then = database_now()
    posted(900)
    address = "/admin/payments/journalentry/trial-balance"
    asked = {"as_of": then.isoformat(), "livemode": "test", "detail": "ACCOUNT"}

    page = as_finance.get(address, asked, follow=True).content.decode()
    assert "1.00 USD" in page
    assert "10.00 USD" not in page
    assert "They are the same" in page
    file = as_finance.get(address, {**asked, "csv": "1"}, follow=True)
    assert file["Content-Type"] == "text/csv; charset=utf-8"
    assert file.content.decode().splitlines()[1:] == [
        "usd,clearing,,,stripe,100,0,100", "usd,unallocated,,,,0,100,-100",
    ]  # fmt: skip
    assert "Enter a valid date" in as_finance.get(address, {**asked, "as_of": "x"}, follow=True).content.decode()


def test_the_proof_says_green_or_red(as_finance):
    assert "Does not hold" not in as_finance.get("/admin/payments/journalentry/proof", follow=True).content.decode()
    with transaction.atomic():
        post(rules.charge_received("stripe", "ch_nobody", Sum(700, "usd", False, database_now())))

    page = as_finance.get("/admin/payments/journalentry/proof", follow=True).content.decode()
    assert page.count("Does not hold") == 1
    assert "7.00 USD" in page


def test_an_entry_leads_to_its_accounts_its_source_and_what_else_was_booked_for_it(as_finance):
    first = posted(500, source=("charge", "stripe:ch_9"))
    page = as_finance.get(f"/admin/payments/journalentry/{first}/change/").content.decode()
    assert "Debits and credits are both 5.00 USD" in page
    assert f"/admin/payments/account/{account(UNALLOCATED)}/change/#statement" in page
    assert "/admin/payments/receipt/?charge_id=ch_9" in page
