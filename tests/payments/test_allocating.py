"""Money that waits is made a place after all: to the cent, whole, for its own request."""

import pytest

from accounts.models import User
from config.models import OutboxMessage
from entries.models import Entry
from payments.models import DiscrepancyKind
from payments.services.allocating import allocate_again
from payments.services.books import broken
from tests.factories.entries import RequestFactory
from tests.factories.payments import paid_entry, refund_of, unapplied_money
from tests.support.queue import raised
from tests.support.refunding import fresh
from tests.support.refusals import refusal_of, refused

pytestmark = pytest.mark.django_db


def allocated(receipt, by=None):
    return allocate_again(receipt_id=receipt.pk, by=by, reason="the player is back")


def test_it_buys_the_place_it_was_paid_for(finance):
    receipt = unapplied_money(because="player_gone")
    waits = [
        raised(kind, f"receipt:{receipt.pk}") for kind in (DiscrepancyKind.HELD_MONEY, DiscrepancyKind.PAID_NO_ENTRY)
    ]

    allocated(receipt, finance)

    receipt = fresh(receipt)
    assert (receipt.status, receipt.entry, receipt.unapplied_because) == ("allocated", Entry.objects.get(), "")
    assert receipt.payment.request.payment_status == "completed"
    assert [fresh(row).status for row in waits] == ["resolved", "resolved"]
    assert OutboxMessage.objects.filter(kind="mail.payment_received").exists()
    assert broken() == {}


def test_a_second_time_it_is_no_money_that_waits(finance):
    receipt = unapplied_money()
    allocated(receipt, finance)

    assert refusal_of(lambda: allocated(receipt, finance)).details == {"because": "not_waiting"}


@pytest.mark.parametrize(
    ("make", "because"),
    [
        (lambda: unapplied_money(amount_cents=4999), "wrong_amount"),
        (lambda: refund_of(unapplied_money(), amount_cents=100).receipt, "not_whole"),
        (lambda: unapplied_money(paid_entry().request), "duplicate"),
        (lambda: unapplied_money(_of_somebody_gone()), "player_gone"),
    ],
)
def test_anything_else_is_left_as_it_is(make, because):
    receipt = make()

    assert refusal_of(lambda: allocated(receipt)).details == {"because": because}
    assert fresh(receipt).status == "unapplied"


def test_nobody_lets_themselves_in(finance):
    receipt = unapplied_money(RequestFactory(approved=True, user=finance))

    assert refused(lambda: allocated(receipt, finance)) == "FORBIDDEN"


def _of_somebody_gone():
    request = RequestFactory(approved=True)
    User.objects.filter(pk=request.user_id).update(is_active=False)
    return request
