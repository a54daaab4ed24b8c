"""The page on which a player comes back from the provider's hosted page.

It shows what is true, never what the address claims: coming back from a payment proves nothing. The session's id and
our own reference are long and random, so who has one is the player; even so the page names no person.
"""

import re
from enum import StrEnum

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from rest_framework.request import Request

from config.api.ratelimit import By, Policy, RateLimited, enforce
from config.phrases import shown_amount
from entries.models import RequestKind
from payments.models import Payment, PaymentState, ReceiptState
from payments.providers.faults import ProviderError
from payments.refs import read_ref
from payments.services.provider_state import Source, apply_provider_state

SESSION_ID = re.compile(r"[A-Za-z0-9_]{1,255}")
RETURN = Policy("payment_return", 60, 60, By.ADDRESS, survives_redis=True)


class View(StrEnum):
    """What the page says."""

    CONFIRMING = "confirming"
    PAID = "paid"
    HELD = "held"
    RETURNED = "returned"
    DECLINED = "declined"
    OPEN = "open"
    OVER = "over"
    UNKNOWN = "unknown"
    BUSY = "busy"


STATUSES = {View.UNKNOWN: 404, View.BUSY: 429}


@require_safe
@never_cache
def payment_return(request: HttpRequest) -> HttpResponse:
    """`?session_id=` from a paid session, `?ref=` from one that was left. Asks the provider before it says anything."""
    try:
        enforce((RETURN,), Request(request))
    except RateLimited:
        return _page(request, View.BUSY)
    payment = _payment_of(request)
    if payment is None:
        return _page(request, View.UNKNOWN)
    was_asked = True
    try:
        payment = apply_provider_state(payment_id=payment.pk, source=Source.RETURN_PAGE)
    except ProviderError:
        # Never "failed" by guessing: the page looks again by itself.
        was_asked = False
    return _page(request, _view_of(payment, was_asked=was_asked), payment)


def _payment_of(request: HttpRequest) -> Payment | None:
    payments = Payment.objects.select_related("request__pool")
    session, ref = request.GET.get("session_id", ""), read_ref(request.GET.get("ref"))
    if SESSION_ID.fullmatch(session):
        return payments.filter(provider_reference=session).first()
    return payments.filter(ref=ref).first() if ref else None


def _view_of(payment: Payment, *, was_asked: bool) -> View:
    if payment.status == PaymentState.SUCCEEDED:
        states = set(payment.receipts.values_list("status", flat=True))
        if states & {ReceiptState.RETURNING, ReceiptState.RETURNED}:
            return View.RETURNED
        return View.PAID if states == {ReceiptState.ALLOCATED} else View.HELD
    if payment.status in (PaymentState.CANCELLED, PaymentState.FAILED):
        return View.OVER
    if payment.status != PaymentState.OPEN or not was_asked:
        return View.CONFIRMING
    return View.DECLINED if payment.failure else View.OPEN


def _page(request: HttpRequest, view: View, payment: Payment | None = None) -> HttpResponse:
    context: dict[str, object] = {"view": view, "payment": payment}
    if payment is not None:
        came = payment.receipts.order_by("pk").last()
        context["amount"] = shown_amount(payment.amount_cents, payment.currency)
        context["came"] = shown_amount(came.amount_cents, came.currency) if came else context["amount"]
        context["is_buy_back"] = payment.request.kind == RequestKind.BUY_BACK
    response = render(request, "payments/return.html", context, status=STATUSES.get(view, 200))
    # The address holds the session's id: it must not travel on to wherever the player goes next.
    response["Referrer-Policy"] = "no-referrer"
    return response
