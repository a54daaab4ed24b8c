"""Money that is wanted back twice at the same instant, with real threads on real PostgreSQL and the double."""

from datetime import timedelta

import pytest
from django.db import transaction

from config.clock import database_now
from entries.models import Entry, EntryStatus
from payments.models import Receipt, Refund
from payments.services.refunds.deciding import (
    approve_refund,
    decline_refund,
    give_back_place,
    replace_refund,
    request_refund,
)
from payments.services.refunds.decisions import lock_receipt
from payments.services.refunds.sending import send_refund, sweep_refunds
from payments.services.refunds.unapplied import return_unapplied
from pools.models import Game
from tests.factories.accounts import FinanceFactory
from tests.factories.entries import RequestFactory
from tests.factories.payments import paid_entry, refund_of, unapplied_money
from tests.factories.pools import PoolFactory, league
from tests.support.charging import balances, learn, paid_receipt
from tests.support.refunding import asked, at_stripe, fresh
from tests.support.threads import again_and_again, codes, run_together, successes

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def staff():
    return [FinanceFactory() for _ in range(4)]


def paid():
    pool = PoolFactory(competition=league(first_kickoff_in=timedelta(days=60)), rules={"house_fee_bp": 1000})
    return paid_entry(RequestFactory(approved=True, pool=pool)).receipts.get()


def asking(receipt, by, **how):
    def ask():
        return request_refund(
            receipt_id=receipt.pk, amount_cents=how.get("amount"), taken_from=how.get("taken_from", "place"),
            reason="both at once", by=by, now=database_now(),
        )  # fmt: skip

    return ask


@again_and_again
def test_of_two_who_take_a_place_back_at_once_one_does(staff):
    receipt = paid()

    outcomes = run_together([asking(receipt, by) for by in staff])

    assert len(successes(outcomes)) == 1
    assert codes(outcomes) == ["REFUND_NOT_ALLOWED"] * 3
    assert Refund.objects.filter(receipt=receipt).count() == 1
    assert fresh(receipt).status == "returning"


@again_and_again
def test_parts_that_are_asked_for_at_once_never_exceed_what_came(staff):
    receipt = unapplied_money()

    outcomes = run_together([asking(receipt, by, taken_from="unapplied", amount=2000) for by in staff])

    assert len(successes(outcomes)) == 2
    assert codes(outcomes) == ["REFUND_TOO_LARGE"] * 2


@again_and_again
def test_a_wish_is_approved_once_and_not_declined_as_well(staff, settings):
    settings.REFUND_APPROVAL_ABOVE = 0
    refund = asked(paid(), staff[0])

    outcomes = run_together(
        [
            lambda: approve_refund(refund_id=refund.pk, by=staff[1]),
            lambda: approve_refund(refund_id=refund.pk, by=staff[2]),
            lambda: decline_refund(refund_id=refund.pk, by=staff[3], reason="no"),
        ]
    )

    assert len(successes(outcomes)) == 1
    assert codes(outcomes) == ["INVALID_TRANSITION"] * 2
    entry = Entry.objects.get(receipts=refund.receipt)
    assert (fresh(refund).status, entry.status) in {("sending", "void"), ("cancelled", "active")}


@again_and_again
def test_a_refund_and_a_cancellation_give_the_money_back_once(staff):
    receipt = paid()

    def cancel():
        return give_back_place(receipt=receipt, origin="cancellation", reason="cancelled", by=staff[1])

    run_together([asking(receipt, staff[0]), cancel, cancel])

    (refund,) = Refund.objects.filter(receipt=receipt)
    assert (refund.amount_cents, refund.status) == (5000, "sending")
    assert Entry.objects.get(receipts=receipt).status == EntryStatus.VOID


@again_and_again
def test_a_refund_against_the_lock_leaves_place_and_pot_together(staff):
    """The pool's first round locks while the place is taken: both happen, or neither."""
    receipt = paid()
    competition = receipt.payment.request.pool.competition_id

    def lock():
        Game.objects.filter(round__competition_id=competition).update(kickoff_at=database_now() - timedelta(seconds=1))

    outcomes = run_together([asking(receipt, staff[0]), lock])

    is_gone = outcomes[0].worked
    pool_id = receipt.payment.request.pool_id
    assert balances(pool=pool_id).get("prize_pot", 0) == (0 if is_gone else -4500)
    assert Entry.objects.get(receipts=receipt).status == ("void" if is_gone else "active")
    assert is_gone or codes(outcomes) == ["REFUND_NOT_ALLOWED"]


@again_and_again
def test_what_failed_is_sent_again_once(staff):
    failed = refund_of(unapplied_money(), status="failed")

    outcomes = run_together([lambda by=by: replace_refund(refund_id=failed.pk, by=by, reason="again") for by in staff])

    assert len(successes(outcomes)) == 1
    assert codes(outcomes) == ["REFUND_NOT_ALLOWED"] * 3


@again_and_again
def test_money_goes_back_by_itself_once(staff):
    receipt = unapplied_money()

    def give_back():
        with transaction.atomic():
            return return_unapplied(receipt=lock_receipt(receipt.pk), because="too_late")

    outcomes = run_together([give_back] * 4)

    assert [outcome.error for outcome in outcomes] == [None] * 4
    assert Refund.objects.filter(receipt=receipt).count() == 1


def test_two_workers_and_a_sweep_send_it_once(api, unpaid, double, finance):
    receipt = paid_receipt(api, unpaid, double)
    refund = asked(receipt, finance)

    run_together(
        [
            lambda: send_refund(refund.pk),
            lambda: send_refund(refund.pk, lease=timedelta()),
            lambda: send_refund(refund.pk, lease=timedelta()),
            lambda: sweep_refunds(patience=timedelta()),
        ]
    )
    sweep_refunds(patience=timedelta())

    assert at_stripe(double) == [(5000, "succeeded")]
    assert (fresh(refund).status, fresh(receipt).status) == ("succeeded", "returned")
    assert balances().get("refund_payable", 0) == 0


def test_a_refund_against_the_news_of_a_dispute_is_booked_once(api, unpaid, double, finance):
    receipt = paid_receipt(api, unpaid, double)
    double.dispute(charge=receipt.charge_id)

    outcomes = run_together([asking(receipt, finance), lambda: learn(receipt)])

    assert outcomes[1].error is None
    if outcomes[0].worked:
        # It was decided before the news: the provider refuses it, and it is owed until the bank has decided.
        assert send_refund(outcomes[0].value.pk).status == "failed"
        assert at_stripe(double) == []
    else:
        assert codes(outcomes) == ["CHARGE_DISPUTED"]
        assert Receipt.objects.get().status == "allocated"
