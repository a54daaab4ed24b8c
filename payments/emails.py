"""Mails about money, sent by the outbox after the receipt was committed."""

from typing import Any

from config import mail, outbox
from config.money import format_amount
from entries.models import RequestKind
from payments.models import Receipt


@outbox.handler("mail.payment_received")
def send_payment_received(payload: dict[str, Any]) -> None:
    """The player's receipt."""
    _send(payload["receipt"], "payment_received", "Receipt: {amount} for {pool}")


@outbox.handler("mail.payment_held")
def send_payment_held(payload: dict[str, Any]) -> None:
    """The money came but bought nothing: the player must not have to ask where it is."""
    _send(payload["receipt"], "payment_held", "About your payment of {amount} for {pool}")


def _send(receipt_id: int, template: str, subject: str) -> None:
    receipt = Receipt.objects.select_related("payment__request__pool", "payment__request__user").get(pk=receipt_id)
    request = receipt.payment.request
    amount = format_amount(receipt.amount_cents, receipt.currency)
    if request.kind == RequestKind.BUY_BACK:
        template = template.replace("payment", "buy_back")
    mail.send(
        to=request.user.email,
        subject=subject.format(amount=amount, pool=request.pool.name),
        template=template,
        context={"receipt": receipt, "request": request, "amount": amount},
    )
