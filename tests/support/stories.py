"""What a story about money needs: everybody does what is theirs to do, and then all the truths are held together."""

from config.clock import database_now
from entries.models import Entry, Request
from entries.services.expiry import expire_unpaid
from payments.ledger.balances import trial_balance
from payments.models import Payment, Receipt, Refund, WebhookEvent
from payments.services.charge_state import apply_charge_state
from payments.services.inbox import process_event, sweep_events
from payments.services.provider_state import Source
from payments.services.sweep import sweep_payments
from tests.support.cancelling import work_off
from tests.support.charging import balances
from tests.support.payments import deliver, events

# A fee of 50 dollars, a tenth of it the house's; the provider keeps 2.9 % and 30 cents.
KEPT = {"clearing": -175, "provider_fees": 175}
IN_THE_POT = {"clearing": 4825, "provider_fees": 175, "prize_pot": -4500, "fee_revenue": -500}
RETURNED = [("succeeded", "auto", "unapplied", 5000)]
HELD = {"clearing": 4825, "provider_fees": 175, "unallocated": -5000}


def catch_up(double) -> None:
    """The double's news arrives and is looked into, and what follows from it is done, until nothing is left to do."""
    told = -1
    while told != (told := len(events(double))):
        deliver(double)
        sweep_events()
        work_off()
    # The charge sweep, without its patience: what the provider kept, which no news tells.
    for receipt_id in Receipt.objects.filter(is_fee_known=False).values_list("pk", flat=True):
        apply_charge_state(receipt_id=receipt_id, source=Source.SWEEP)


def sweep(double) -> None:
    """What the clock does every few minutes: ask about payments, let places go whose time is over; and what follows."""
    sweep_payments()
    expire_unpaid(now=database_now())
    catch_up(double)


def agreed_books(double, currency="usd") -> dict[str, int]:
    """What accounts of each kind have come to. Every entry adds up, and what is at the provider is what it says."""
    assert set(trial_balance(livemode=False).proof.values()) <= {0}
    found = balances(currency=currency)
    assert found.get("clearing", 0) == double.books()["currencies"].get(currency, {}).get("net", 0)
    return found


def standing(request) -> tuple[str, str]:
    """The request and its payment, in two words."""
    fresh = Request.objects.get(pk=request.pk)
    return fresh.status, fresh.payment_status


def payments_of(request) -> list[str]:
    return list(Payment.objects.filter(request=request).order_by("id").values_list("status", flat=True))


def receipts_of(request) -> list[tuple[str, str]]:
    """What became of the money, and why it bought nothing."""
    receipts = Receipt.objects.filter(payment__request=request).order_by("id")
    return list(receipts.values_list("status", "unapplied_because"))


def refunds_of(request) -> list[tuple[str, str, str, int]]:
    refunds = Refund.objects.filter(receipt__payment__request=request).order_by("id")
    return list(refunds.values_list("status", "origin", "taken_from", "amount_cents"))


def given_back(double) -> list[int]:
    """What has really gone back, by the double's own books."""
    return [charge["refunded"] for charge in double.books()["charges"]]


def went_back(double, request, because, mailoutbox) -> None:
    """The request's only money was booked, bought nothing, went whole to where it came from, and the player knows."""
    assert payments_of(request) == ["succeeded"]
    assert receipts_of(request) == [("returned", because)]
    assert refunds_of(request) == RETURNED
    assert 5000 in given_back(double)
    assert not Entry.objects.filter(request=request).exists()
    assert about_money(mailoutbox, request.user) == ["Your payment"]
    (mail,) = [mail for mail in mailoutbox if mail.to == [request.user.email] and "goes back" in mail.subject]
    assert "All of it goes back to where it came from" in mail.body


def sum_of(*books) -> dict[str, int]:
    """The books of several payments as those of one house."""
    return {kind: sum(one.get(kind, 0) for one in books) for book in books for kind in book}


def looked_into(double, payment) -> None:
    """The news of this payment alone has come and was looked into; nothing that follows from it is done yet."""
    deliver(double)
    for pk in WebhookEvent.objects.filter(object_id=payment.provider_reference).values_list("pk", flat=True):
        process_event(event_id=pk)


def about_money(mailoutbox, player) -> list[str]:
    """What the player was told of money: the first words of each subject."""
    beginnings = ("Receipt", "About your payment", "Your payment", "Refund")
    told = [mail.subject for mail in mailoutbox if mail.to == [player.email]]
    return [next(words for words in beginnings if subject.startswith(words)) for subject in told
            if subject.startswith(beginnings)]  # fmt: skip
