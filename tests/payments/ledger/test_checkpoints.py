"""Checkpoints are a short cut and nothing else: a sum with them is the plain sum, whoever writes meanwhile."""

import random
import threading
import time

import pytest
from django.db import connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase as HypothesisTestCase

from payments.ledger import checkpoints
from payments.ledger.balances import Standing, balance_of, sums_of
from payments.ledger.checkpoints import ADD, make_checkpoints
from payments.ledger.models import Account, Checkpoint, Posting
from payments.ledger.posting import post
from tests.support.ledger import CLEARING, UNALLOCATED, draft, posted
from tests.support.threads import run_together


def plain():
    """Every account, added up line by line."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.id, coalesce(sum(amount), 0)::bigint, count(*) FILTER (WHERE amount < 0),"
            " count(*) FILTER (WHERE amount > 0)"
            " FROM payments_account a LEFT JOIN payments_posting l ON l.account_id = a.id GROUP BY a.id"
        )
        return {account: Standing(*numbers) for account, *numbers in cursor.fetchall()}


def shown():
    return sums_of(Account.objects.values_list("pk", flat=True))


def sum_up():
    """As `make_checkpoints`, inside a test's transaction, where nobody else writes."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM payments_posting")
        cursor.execute(ADD, {"bound": cursor.fetchone()[0]})


STEPS = st.lists(
    st.one_of(
        st.just("sum up"),
        st.tuples(st.integers(-(10**9), 10**9), st.sampled_from(["usd", "jpy", "kwd"]), st.booleans()),
    ),
    max_size=25,
)


class AnyHistory(HypothesisTestCase):
    @settings(max_examples=60, deadline=None)
    @given(STEPS)
    def test_with_checkpoints_every_sum_is_the_plain_sum(self, steps):
        for step in steps:
            if step == "sum up":
                sum_up()
            else:
                amount, currency, livemode = step
                post(draft(amount, currency=currency, livemode=livemode))
            assert shown() == plain()


@pytest.mark.django_db(transaction=True)
def test_only_what_came_since_is_added():
    posted(100), posted(50, currency="eur")
    assert make_checkpoints() == 4
    assert make_checkpoints() == 0

    posted(7)
    assert make_checkpoints() == 2

    assert Checkpoint.objects.count() == 6
    assert balance_of(CLEARING, "usd", livemode=False) == 107
    assert balance_of(UNALLOCATED, "eur", livemode=False) == -50
    assert balance_of(UNALLOCATED, "eur", livemode=True) == 0


@pytest.mark.django_db(transaction=True)
def test_a_line_that_commits_late_is_not_passed_over():
    """It drew its number before the others, which are committed: nothing is summed up while it is under way."""
    written, go_on = threading.Event(), threading.Event()
    # Else they would wait for each other's accounts.
    posted(100)

    def slow():
        with transaction.atomic():
            post(draft(1))
            written.set()
            go_on.wait(10)

    def summing():
        written.wait(10)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(checkpoints, "PATIENCE", "200ms")
            posted(10)
            gave_up = make_checkpoints()
        go_on.set()
        return gave_up

    first, second = run_together([slow, summing])

    assert (first.error, second.error, second.value) == (None, None, None)
    assert Checkpoint.objects.count() == 0
    assert make_checkpoints() == 2
    assert balance_of(CLEARING, "usd", livemode=False) == 111
    assert shown() == plain()


@pytest.mark.django_db(transaction=True)
def test_writers_and_checkpoints_at_once_never_lose_a_line():
    stop = time.monotonic() + 3

    def write(seed):
        dice = random.Random(seed)
        written = 0
        while time.monotonic() < stop:
            with transaction.atomic():
                for _ in range(dice.randint(1, 4)):
                    post(draft(dice.randint(1, 1000)))
                time.sleep(dice.random() / 200)
                transaction.set_rollback(dice.random() < 0.2)
            written += 1
        return written

    def sum_often():
        made = 0
        while time.monotonic() < stop:
            made += bool(make_checkpoints())
            assert shown_equals_plain()
        return made

    outcomes = run_together([lambda n=n: write(n) for n in range(4)] + [sum_often, sum_often])

    assert [outcome.error for outcome in outcomes] == [None] * 6
    assert all(outcome.value for outcome in outcomes)
    make_checkpoints()
    assert shown() == plain()
    assert Posting.objects.count() > 100


def shown_equals_plain():
    """Both in one look at the database: between two looks, somebody writes."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        return shown() == plain()


@pytest.mark.django_db(transaction=True)
def test_checkpoints_are_not_made_inside_a_transaction():
    with transaction.atomic(), pytest.raises(RuntimeError):
        make_checkpoints()
