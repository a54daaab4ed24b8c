"""Giving money back in tests, as staff do it and as the product does it afterwards."""

from config.clock import database_now
from payments.models import Discrepancy, Refund
from payments.models.discrepancy import OPEN_STATES
from payments.services.refunds.deciding import request_refund
from payments.services.refunds.sending import send_refund


def asked(receipt, by, *, amount=None, taken_from="place", reason="asked for it", manual=None):
    """A refund as staff want it."""
    return request_refund(
        receipt_id=receipt.pk,
        amount_cents=amount,
        taken_from=taken_from,
        reason=reason,
        by=by,
        now=database_now(),
        manual=manual,
    )


def sent(refund):
    """The refund after its provider was asked."""
    return send_refund(refund.pk)


def fresh(row):
    return type(row).objects.get(pk=row.pk)


def at_stripe(double):
    """Every refund that the double has, as (amount, status)."""
    return [(one["amount"], one["status"]) for one in double.state()["objects"].get("refund", [])]


def states():
    return list(Refund.objects.order_by("id").values_list("status", flat=True))


def doubts():
    """The kinds of what waits for a person."""
    return sorted(Discrepancy.objects.filter(status__in=OPEN_STATES).values_list("kind", flat=True))
