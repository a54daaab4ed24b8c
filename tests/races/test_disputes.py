"""A dispute heard of twice at once, and a dispute against a refund: each money moves once, in whatever order."""

import pytest
from django.db.models import Sum

from config.clock import database_now
from config.errors import DomainError
from entries.models import Entry
from payments.ledger.models import Posting
from payments.models import Dispute, Movement, Receipt, Refund
from payments.services.movements import apply_payout_state
from payments.services.provider_state import Source
from payments.services.refunds.deciding import request_refund
from payments.services.refunds.sending import send_refund
from tests.support.charging import balance, balances, learn, paid_receipt
from tests.support.threads import REPETITIONS, run_together

pytestmark = pytest.mark.django_db(transaction=True)

COPIES = 8


@pytest.fixture
def receipt(api, unpaid, double):
    return learn(paid_receipt(api, unpaid, double))


@pytest.mark.parametrize("repetition", range(REPETITIONS))
def test_one_dispute_heard_of_eight_times_at_once_is_booked_once(receipt, double, repetition):
    dispute = double.dispute(charge=receipt.charge_id)
    double.move_dispute(dispute["id"], "lost")

    outcomes = run_together([lambda: learn(receipt)] * COPIES)

    assert [outcome.error for outcome in outcomes] == [None] * COPIES
    assert (Dispute.objects.count(), Movement.objects.filter(kind="dispute").count()) == (1, 1)
    assert Dispute.objects.get().borne_by == "house"
    assert balance("chargeback_loss") == 5000
    assert Entry.objects.get().status == "void"


@pytest.mark.parametrize("repetition", range(REPETITIONS))
def test_it_may_be_won_while_we_learn_that_it_was_opened(receipt, double, repetition):
    dispute = double.dispute(charge=receipt.charge_id)
    moves = [lambda: double.move_dispute(dispute["id"], "won")]

    outcomes = run_together([*moves, *[lambda: learn(receipt)] * COPIES])
    assert [outcome.error for outcome in outcomes] == [None] * (COPIES + 1)
    learn(receipt, Source.SWEEP)

    assert Dispute.objects.get().status == "won"
    assert not Entry.objects.get().is_suspended
    assert balance("disputes_receivable") == 0


@pytest.mark.parametrize("repetition", range(REPETITIONS))
def test_a_refund_against_a_dispute_never_breaks_the_books(receipt, double, finance, repetition):
    """Whoever is first: the refund is refused, or fails, or both happened and a person is told."""

    def refund():
        wish = request_refund(
            receipt_id=receipt.pk,
            amount_cents=1000,
            taken_from="house",
            reason="goodwill",
            by=finance,
            now=database_now(),
        )
        return send_refund(wish.pk)

    def be_disputed():
        double.dispute(charge=receipt.charge_id)
        return learn(receipt)

    refunded, disputed = run_together([refund, be_disputed])

    assert refunded.worked or isinstance(refunded.error, DomainError), refunded.error
    assert disputed.worked, disputed.error
    learn(receipt, Source.SWEEP)
    went = Refund.objects.filter(is_paid=True).aggregate(total=Sum("amount_cents"))["total"] or 0
    assert balance("clearing") == double.books()["currencies"]["usd"]["net"]
    assert balance("goodwill") - balance("refund_payable") * -1 == went
    assert sum(balances().values()) == 0
    assert Entry.objects.get().is_suspended


@pytest.mark.parametrize("repetition", range(REPETITIONS))
def test_one_payout_heard_of_eight_times_at_once_is_booked_once(receipt, double, repetition):
    double.advance(4 * 86_400)
    payout = double.run_payouts()[0]["id"]

    outcomes = run_together([lambda: apply_payout_state(provider="stripe", reference=payout)] * COPIES)

    assert [outcome.error for outcome in outcomes] == [None] * COPIES
    assert balance("bank_in_transit") == 4825
    assert Receipt.objects.get().status == "allocated"
    assert Posting.objects.filter(account__kind="bank_in_transit").count() == 1
