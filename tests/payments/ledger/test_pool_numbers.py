"""What the pages of pools show of the money: what was collected, of how many fees, and what it comes to for each."""

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from config.clock import database_now
from entries.models import Entry
from entries.services.lost_places import take_place_back
from payments.ledger import rules
from payments.ledger.posting import post
from payments.ledger.rules import Sum
from payments.models import PrizeBooking, Receipt
from payments.pool_numbers import MoneyNumbers, collected
from payments.services.booking import book_place_taken
from pools.queries import statistics
from tests.factories.accounts import FinanceFactory
from tests.factories.entries import RequestFactory
from tests.factories.payments import paid_entry
from tests.factories.pools import PoolFactory
from tests.support.calls import call

pytestmark = pytest.mark.django_db


def pool_of(entries, **fields):
    pool = PoolFactory(**fields)
    for _ in range(entries):
        paid_entry(RequestFactory(approved=True, pool=pool))
    return pool


def numbers(pool):
    found = statistics.pool_numbers([pool.pk])[pool.pk]
    return found.pot_cents, found.paid_count, found.value_per_entry_cents


def test_payments_answer_for_the_money_of_pools():
    assert isinstance(statistics._providers[0], MoneyNumbers)


def test_the_pot_its_fees_and_what_it_comes_to_for_each_that_is_in():
    pool = pool_of(3, entry_fee_cents=999, rules={"house_fee_bp": 1250})
    assert numbers(pool) == (3 * 875, 3, 875)

    Entry.objects.filter(pk=Entry.objects.filter(pool=pool).first().pk).update(
        status="eliminated", eliminated_round_number=1, eliminated_code="pick_lost", rules_version=1
    )

    # 26.25 between two, rounded down.
    assert numbers(pool) == (3 * 875, 3, 1312)


def test_a_place_taken_back_leaves_the_pot():
    pool = pool_of(2)
    receipt = Receipt.objects.first()
    take_place_back(request=receipt.payment.request, by=FinanceFactory(), reason="asked for")
    with transaction.atomic():
        book_place_taken(receipt)

    assert numbers(pool) == (5000, 1, 5000)


def test_the_pot_stays_to_be_seen_after_it_was_shared_out_and_corrected():
    pool = pool_of(3)
    players = list(Entry.objects.filter(pool=pool).values_list("user_id", flat=True))
    money = Sum(15_000, "usd", False, database_now())

    def book(number, prizes, reverses=None):
        PrizeBooking.objects.create(pool=pool, number=number, prizes=prizes, amount_cents=15_000, currency="usd")
        return post(rules.pool_settled(f"{pool.pk}:{number}", pool.pk, prizes, money))

    first = book(1, {players[0]: 15_000})
    assert numbers(pool)[:2] == (15_000, 3)
    post(rules.settlement_reversed(f"{pool.pk}:1", pool.pk, {players[0]: 15_000}, money, first))
    assert numbers(pool)[:2] == (15_000, 3)
    book(2, {players[1]: 15_000})
    assert numbers(pool)[:2] == (15_000, 3)


def test_a_pool_without_money_shows_noughts_and_a_list_costs_what_one_costs(api):
    pool = PoolFactory()
    assert numbers(pool) == (0, 0, 0)
    assert collected([pool.pk]) == {}
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            assert call(api(), "GET", "/pools")[0] == 200
        counts.append(len(queries))
        pool_of(1), pool_of(2)
    assert counts[0] == counts[1]
