"""Mails about money, sent by the outbox after the receipt was committed."""

from typing import Any

from django.urls import reverse

from accounts.models import NOBODYS_DOMAIN, User
from accounts.queries import who_may
from config import mail, outbox
from config.money import format_amount
from entries.models import PaymentStatus, RequestKind
from payments.models import Cancellation, Discrepancy, Payment, Provider, Receipt, Refund
from payments.models.discrepancy import OPEN_STATES, URGENT

MOST_TOLD = 20


@outbox.handler("mail.payment_received")
def send_payment_received(payload: dict[str, Any]) -> None:
    """The player's receipt."""
    _send(payload["receipt"], "payment_received", "Receipt: {amount} for {pool}")


@outbox.handler("mail.payment_held")
def send_payment_held(payload: dict[str, Any]) -> None:
    """The money came but bought nothing: the player must not have to ask where it is."""
    _send(payload["receipt"], "payment_held", "About your payment of {amount} for {pool}")


@outbox.handler("mail.payment_failed")
def send_payment_failed(payload: dict[str, Any]) -> None:
    """A slow method failed days after the player had left the page."""
    payment = Payment.objects.select_related("request__pool", "request__user").get(pk=payload["payment"])
    request = payment.request
    amount = format_amount(payment.amount_cents, payment.currency)
    _write_to(
        request.user,
        subject=f"Your payment of {amount} for {request.pool.name} failed",
        template="payment_failed",
        context={"request": request, "amount": amount, "is_buy_back": request.kind == RequestKind.BUY_BACK},
    )


@outbox.handler("mail.payment_returned")
def send_payment_returned(payload: dict[str, Any]) -> None:
    """The money came, bought nothing, and goes back: why, and that nothing has to be done."""
    _send(payload["receipt"], "payment_returned", "Your payment of {amount} for {pool} goes back")


@outbox.handler("mail.refund_sent")
def send_refund_sent(payload: dict[str, Any]) -> None:
    """Money is on its way to the player, and what became of the place."""
    refund = Refund.objects.select_related("receipt__payment__request__pool", "receipt__payment__request__user").get(
        pk=payload["refund"]
    )
    request = refund.receipt.payment.request
    amount = format_amount(refund.amount_cents, refund.currency)
    _write_to(
        request.user,
        subject=f"Refund: {amount} for {request.pool.name}",
        template="refund_sent",
        context={
            "refund": refund,
            "request": request,
            "amount": amount,
            "by_hand": refund.provider == Provider.MANUAL,
            "place_is_gone": request.payment_status == PaymentStatus.REFUNDED,
        },
    )


def _write_to(user: User, **letter: Any) -> None:
    """Also to somebody who was shut out, for it is their money; not to an address that is nobody's any more."""
    if not user.email.endswith(NOBODYS_DOMAIN):
        mail.send(to=user.email, **letter)


def _send(receipt_id: int, template: str, subject: str) -> None:
    receipt = Receipt.objects.select_related("payment__request__pool", "payment__request__user").get(pk=receipt_id)
    request = receipt.payment.request
    amount = format_amount(receipt.amount_cents, receipt.currency)
    if request.kind == RequestKind.BUY_BACK:
        template = template.replace("payment", "buy_back")
    _write_to(
        request.user,
        subject=subject.format(amount=amount, pool=request.pool.name),
        template=template,
        context={"receipt": receipt, "request": request, "amount": amount},
    )


@outbox.handler("mail.pool_cancelled")
def send_pool_cancelled(payload: dict[str, Any]) -> None:
    """One mail for all places of a player in a pool that was cancelled; none to an account that is closed."""
    cancellation = Cancellation.objects.select_related("pool").get(pk=payload["cancellation"])
    user = User.objects.get(pk=payload["user"])
    if not user.is_active:
        return
    mail.send(
        to=user.email,
        subject=f"{cancellation.pool.name} is cancelled",
        template="pool_cancelled",
        context={"user": user, "pool": cancellation.pool, "reason": cancellation.reason},
    )


@outbox.handler("mail.urgent_discrepancies")
def send_urgent_discrepancies(payload: dict[str, Any]) -> None:
    """What finance has to know at once, to everybody who may deal with it; what is settled by now is no news."""
    rows = Discrepancy.objects.filter(kind__in=URGENT, status__in=OPEN_STATES).order_by("id")
    if "run" in payload:
        rows = rows.filter(first_run_id=payload["run"])
    elif "since" in payload:
        within = rows.filter(opened_at__gte=payload["since"], opened_at__lt=payload["until"])
        rows = within.exclude(pk=payload["told"])
    else:
        rows = rows.filter(pk=payload["discrepancy"])
    people = who_may("payments.resolve_discrepancy").exclude(email__endswith=NOBODYS_DOMAIN).order_by("email")
    addresses, count = list(people.values_list("email", flat=True)), rows.count()
    if not addresses or not count:
        return
    shown = list(rows[:MOST_TOLD])
    first = f"{shown[0].get_kind_display()}: {shown[0].sentence}"
    mail.send(
        to=addresses,
        subject=f"Urgent: {first if count == 1 else f'{count} discrepancies'}"[:200],
        template="urgent_discrepancies",
        context={
            "rows": [(row, reverse("admin:payments_discrepancy_change", args=[row.pk])) for row in shown],
            "more": count - len(shown),
            "list": reverse("admin:payments_discrepancy_changelist"),
        },
    )
