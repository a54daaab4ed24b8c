"""The invariants hold after every story, and each of them notices what it is there for."""

import pytest
from django.db import connection, transaction

from config.clock import database_now
from entries.services.lost_places import take_place_back
from payments.ledger import rules
from payments.ledger.accounts import Kind
from payments.ledger.models import Account
from payments.ledger.posting import post
from payments.ledger.rules import Sum
from payments.models import Receipt
from payments.pool_numbers import MoneyNumbers
from payments.services.booking import book_place_taken, book_waiver
from payments.services.books import INVARIANTS, broken, invariants
from tests.factories.accounts import FinanceFactory
from tests.factories.entries import EntryFactory, RequestFactory
from tests.factories.payments import paid_entry, unapplied_money
from tests.factories.pools import PoolFactory
from tests.support.ledger import LINES

pytestmark = pytest.mark.django_db


@pytest.fixture
def pool():
    """Two paid places and one waived of 9.99, 12.5 % for the house; money that waits."""
    pool = PoolFactory(entry_fee_cents=999, rules={"house_fee_bp": 1250})
    for _ in range(2):
        paid_entry(RequestFactory(approved=True, pool=pool))
    request = RequestFactory(paid=True, pool=pool, waived_by=FinanceFactory(), waiver_reason="a friend")
    EntryFactory(in_pool=pool, request=request, owner=request.user)
    with transaction.atomic():
        book_waiver(request)
    unapplied_money()
    return pool


def past_the_guards(*statements):
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET session_replication_role = replica")
        for statement in statements:
            cursor.execute(statement)
        cursor.execute("SET session_replication_role = origin")


def test_books_without_anything_are_right():
    assert [check.name for check in invariants()] == [name for name, _, _ in INVARIANTS]
    assert broken() == {}


def test_after_every_story_all_of_them_hold(pool):
    assert broken() == {}
    assert MoneyNumbers().pool_numbers([pool.pk])[pool.pk].pot_cents == 3 * 875


def test_a_place_that_was_taken_back_leaves_pot_and_tallies_together(pool):
    receipt = Receipt.objects.filter(status="allocated").first()
    take_place_back(request=receipt.payment.request, by=FinanceFactory(), reason="asked for")
    with transaction.atomic():
        assert book_place_taken(receipt) == 999

    assert "pots" not in broken()
    assert MoneyNumbers().pool_numbers([pool.pk])[pool.pk].paid_count == 2


def amount(name):
    return [(found.expected, found.found) for found in broken()[name]]


def test_a_line_that_is_missing_is_noticed(pool):
    last = "(SELECT max(id) FROM payments_posting)"
    past_the_guards(f"DELETE FROM payments_posting WHERE id = {last}")

    found = broken()
    assert {"trial_balance", "whole_entries"} <= set(found)
    assert len(found["whole_entries"]) == 1


def test_an_entry_without_lines_is_noticed(pool):
    past_the_guards(
        "INSERT INTO payments_journalentry (source_type, source_id, event, currency_id, livemode, effective_at,"
        " finance_date) VALUES ('test', '1', 'x', 'usd', false, now(), now())"
    )

    assert set(broken()) == {"whole_entries"}


def test_a_receipt_that_is_not_booked_is_noticed(pool):
    past_the_guards(
        "DELETE FROM payments_posting WHERE journal_entry_id IN"
        " (SELECT id FROM payments_journalentry WHERE event IN ('allocated', 'waived'))",
        "DELETE FROM payments_journalentry WHERE event IN ('allocated', 'waived')",
    )

    assert amount("everything_booked") == [(999, 0)] * 3
    assert amount("pots") == [(3 * 875, 0)]


def test_a_pot_that_differs_from_what_settlement_counts_is_noticed(pool):
    RequestFactory(paid=True, pool=pool)

    assert amount("pots") == [(4 * 875, 3 * 875)]


def test_a_pot_below_nothing_is_noticed(pool):
    money = Sum(10_000, "usd", False, database_now())
    with transaction.atomic():
        post(rules.pool_settled("0:1", pool.pk, {pool.requests.first().user_id: 10_000}, money))

    assert amount("not_negative") == [(0, 3 * 875 - 10_000)]


def test_money_that_waits_without_a_receipt_is_noticed(pool):
    with transaction.atomic():
        post(rules.charge_received("stripe", "ch_nobody", Sum(700, "usd", False, database_now())))

    assert amount("unallocated") == [(5000, 5700)]


def test_a_refund_that_nobody_decided_is_noticed(pool):
    player = pool.requests.first().user_id
    with transaction.atomic():
        post(rules.refund_decided("no-such", player, Sum(300, "usd", False, database_now())))

    found = broken()
    assert [(one.what, one.expected, one.found) for one in found["refund_payable"]] == [(f"player {player}", 0, 300)]


def test_a_dispute_that_is_nowhere_is_noticed(pool):
    with transaction.atomic():
        post(rules.dispute_withdrawn("stripe", "txn_x", 1500, Sum(400, "usd", False, database_now())))

    assert amount("disputes_receivable") == [(0, 400)]


def test_a_checkpoint_that_is_not_the_sum_of_its_lines_is_noticed(pool):
    from tests.payments.ledger.test_checkpoints import sum_up

    sum_up()
    assert broken() == {}
    account = Account.objects.get(kind=Kind.PRIZE_POT, pool=pool).pk
    past_the_guards(
        f"INSERT INTO payments_checkpoint (account_id, through_posting_id, balance, credits, debits)"
        f" SELECT {account}, through_posting_id + 1, balance + 5, credits, debits FROM payments_checkpoint"
        f" WHERE account_id = {account}"
    )

    assert amount("checkpoints") == [(-3 * 875, -3 * 875 + 5)]


def test_a_line_with_a_number_from_before_is_noticed_by_the_checkpoints(pool):
    """Whoever writes a number of their own choosing goes past the short cut, never past the plain sum."""
    from tests.payments.ledger.test_checkpoints import sum_up

    sum_up()
    account = Account.objects.get(kind=Kind.PRIZE_POT, pool=pool).pk
    entry = "(SELECT max(id) FROM payments_journalentry)"
    past_the_guards(
        LINES.replace("(journal", "(id, journal") + f" VALUES (-1, {entry}, {account}, 'usd', false, -7)",
    )

    assert "checkpoints" in broken()
