"""A pool is cancelled while somebody pays, withdraws, settles or cancels it as well: no money is lost or doubled."""

from itertools import count

import pytest

from config.clock import database_now
from entries.models import Entry, Request
from entries.services.requests import withdraw_request
from entries.services.settlement import settle_competition
from payments.ledger.balances import trial_balance
from payments.models import Cancellation, Receipt, Refund
from payments.providers.base import Charge, SessionFacts, SessionState
from payments.services.cancellations import (
    confirm_cancellation,
    propose_cancellation,
    run,
    withdraw_cancellation,
)
from payments.services.pots import pot_of
from payments.services.prizes import book_prizes
from payments.services.provider_state import Source, apply_facts
from tests.factories.accounts import FinanceFactory
from tests.factories.entries import RequestFactory
from tests.factories.payments import paid_entry, payment_for
from tests.factories.pools import PoolFactory, play_round
from tests.support.threads import again_and_again, codes, run_together, successes
from tests.support.winning import paid_in

pytestmark = pytest.mark.django_db(transaction=True)
_numbers = count(1)


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """A batch is cut short by its size alone, however busy the machine is."""
    monkeypatch.setattr("payments.services.cancellations.running.LONGEST_HOLD", 600.0)


@pytest.fixture
def finance_two(db):
    return FinanceFactory()


def proposed(pool, finance):
    return propose_cancellation(pool=pool, by=finance, reason="Too few players.")


def news_of(payment):
    """What the provider says of a payment that was paid just now."""
    charge = Charge(f"ch_race_{next(_numbers)}", payment.amount_cents, payment.currency, database_now())
    return SessionFacts(
        reference=payment.provider_reference,
        ref=str(payment.ref),
        state=SessionState.PAID,
        livemode=False,
        expires_at=payment.expires_at,
        charge=charge,
    )


def everything_given_back(pool, cancellation):
    """Walk until nothing is left; then all entries are void, and the books say the same."""
    while run(cancellation.pk):
        pass
    assert not Entry.objects.filter(pool=pool).exclude(status="void").exists()
    assert pot_of(pool) == 0
    assert set(trial_balance(livemode=False).proof.values()) <= {0}
    receipts = Receipt.objects.filter(payment__request__pool=pool)
    for receipt in receipts:
        given = sum(receipt.refunds.values_list("amount_cents", flat=True))
        assert (receipt.status, given) == ("returning", receipt.amount_cents)


@again_and_again
def test_money_that_arrives_while_the_pool_is_cancelled_goes_back_whichever_came_first(finance, finance_two):
    pool = PoolFactory()
    paid_entry(RequestFactory(approved=True, pool=pool))
    payments = [payment_for(RequestFactory(approved=True, pool=pool)) for _ in range(4)]
    news = [news_of(payment) for payment in payments]
    cancellation = proposed(pool, finance)

    outcomes = run_together(
        [lambda: confirm_cancellation(cancellation_id=cancellation.pk, by=finance_two)]
        + [
            lambda payment=payment, facts=facts: apply_facts(payment, facts, source=Source.WEBHOOK)
            for payment, facts in zip(payments, news, strict=True)
        ]
    )

    assert [outcome.error for outcome in outcomes] == [None] * 5
    cancellation.refresh_from_db()
    in_time = Request.objects.filter(pool=pool, payment_status="completed").count()
    assert cancellation.places_total == in_time
    everything_given_back(pool, cancellation)
    assert Refund.objects.filter(receipt__payment__request__pool=pool).count() == 5


@again_and_again
def test_a_pool_is_either_finished_with_prizes_or_cancelled_with_refunds(finance, finance_two):
    pool = PoolFactory()
    winner = paid_in(pool, "ANT")
    paid_in(pool, "BAT")
    cancellation = proposed(pool, finance)
    play_round(pool.competition.rounds.get(number=1), winners=set())

    def settle():
        settle_competition(competition_id=pool.competition_id)
        return book_prizes(pool_id=pool.pk)

    outcomes = run_together([lambda: confirm_cancellation(cancellation_id=cancellation.pk, by=finance_two), settle])

    pool.refresh_from_db()
    assert outcomes[1].error is None
    if pool.status == "finished":
        assert codes(outcomes) == ["INVALID_TRANSITION"]
        assert outcomes[1].value.prizes == {str(winner.pk): 10000}
        assert pot_of(pool) == 0
        assert not Refund.objects.filter(receipt__payment__request__pool=pool).exists()
    else:
        assert (pool.status, outcomes[0].error, outcomes[1].value) == ("cancelled", None, None)
        everything_given_back(pool, cancellation)
        settle_competition(competition_id=pool.competition_id)
        assert book_prizes(pool_id=pool.pk) is None
        assert not Entry.objects.filter(pool=pool, prize_cents__gt=0).exists()


@again_and_again
def test_it_is_confirmed_once_or_withdrawn(finance, finance_two):
    pool = PoolFactory()
    paid_entry(RequestFactory(approved=True, pool=pool))
    cancellation = proposed(pool, finance)
    third = FinanceFactory()

    outcomes = run_together(
        [
            lambda: confirm_cancellation(cancellation_id=cancellation.pk, by=finance_two),
            lambda: confirm_cancellation(cancellation_id=cancellation.pk, by=third),
            lambda: withdraw_cancellation(cancellation_id=cancellation.pk, by=finance),
        ]
    )

    assert (len(successes(outcomes)), codes(outcomes)) == (1, ["INVALID_TRANSITION"] * 2)
    cancellation.refresh_from_db()
    pool.refresh_from_db()
    assert (cancellation.status, pool.status) in (("running", "cancelled"), ("withdrawn", "open"))


@again_and_again
def test_two_proposals_at_once_are_one():
    pool = PoolFactory()
    paid_entry(RequestFactory(approved=True, pool=pool))
    people = [FinanceFactory() for _ in range(3)]

    outcomes = run_together([lambda by=by: proposed(pool, by) for by in people])

    assert (len(successes(outcomes)), codes(outcomes)) == (1, ["VERSION_CONFLICT"] * 2)
    assert Cancellation.objects.filter(pool=pool).count() == 1


@again_and_again
def test_a_player_who_withdraws_meanwhile_ends_withdrawn_once(finance, finance_two):
    pool = PoolFactory()
    paid_entry(RequestFactory(approved=True, pool=pool))
    unpaid = RequestFactory(approved=True, pool=pool)
    cancellation = proposed(pool, finance)

    outcomes = run_together(
        [
            lambda: confirm_cancellation(cancellation_id=cancellation.pk, by=finance_two),
            lambda: withdraw_request(request=unpaid, by=unpaid.user, now=database_now()),
        ]
    )

    assert outcomes[0].error is None
    assert codes(outcomes) in ([], ["INVALID_TRANSITION"])
    unpaid.refresh_from_db()
    assert unpaid.status == "withdrawn"


@again_and_again
def test_workers_that_meet_do_nothing_twice(finance, finance_two):
    pool = PoolFactory()
    for _ in range(5):
        paid_entry(RequestFactory(approved=True, pool=pool))
    cancellation = proposed(pool, finance)
    confirm_cancellation(cancellation_id=cancellation.pk, by=finance_two)

    outcomes = run_together([lambda: run(cancellation.pk)] * 4)

    assert sorted(successes(outcomes)) == [0, 0, 0, 5]
    assert Refund.objects.filter(receipt__payment__request__pool=pool).count() == 5
    everything_given_back(pool, cancellation)
