"""Checkout Sessions in payment mode: opened by the API, paid on the hosted page, or expired by API or clock.

A session is open until it is paid (complete) or its time is over (expired). Its PaymentIntent appears with the first
attempt to pay, and carries `payment_intent_data.metadata`; the session's own metadata is not copied to it. Paid by
bank debit, it is complete and unpaid until the bank answers.
"""

from config.local.stripe.banks import METHOD, BankAccount
from config.local.stripe.cards import Card
from config.local.stripe.errors import StripeError
from config.local.stripe.objects import debits, intents
from config.local.stripe.objects.events import emit
from config.local.stripe.timers import timer
from config.local.stripe.wire import Json
from config.local.stripe.work import Work


class AlreadyPaid(Exception):
    """The session is complete; this call charged nothing."""


class SessionExpired(Exception):
    """Its time is over."""


def require_open(session: Json) -> None:
    if session["status"] == "complete":
        raise AlreadyPaid
    if session["status"] == "expired":
        raise SessionExpired


def pay(work: Work, session: Json, card: Card) -> None:
    """Takes the money and completes an open session. A declined card leaves it open and raises CardDeclined."""
    intents.attempt(work, intent_of(work, session), card, session["customer_email"])
    _complete(work, session, payment_status="paid")


def debit(work: Work, session: Json, account: BankAccount) -> None:
    """Completes an open session whose money is only on its way: it stays unpaid until the debit is settled."""
    if METHOD not in session["payment_method_types"]:
        work.change(session, payment_method_types=[*session["payment_method_types"], METHOD])
    debits.begin(work, intent_of(work, session), account, session["customer_email"])
    _complete(work, session, payment_status="unpaid")


def settle(work: Work, session: Json, outcome: str, failure_code: str) -> None:
    """The bank answers: the money came, or it will not come, and the session stays unpaid for good."""
    if session["payment_intent"] is None:
        raise StripeError(f"Nobody has tried to pay {session['id']}.", param="session")
    intent = work.get("payment_intent", session["payment_intent"])
    if outcome == "failed":
        debits.fail(work, intent, failure_code)
        emit(work, "checkout.session.async_payment_failed", session)
        return
    debits.succeed(work, intent)
    before = work.change(session, payment_status="paid")
    emit(work, "checkout.session.async_payment_succeeded", session, before)


def _complete(work: Work, session: Json, *, payment_status: str) -> None:
    details = customer_details(session["customer_email"], country="US")
    work.change(session, status="complete", payment_status=payment_status, customer_details=details)
    emit(work, "checkout.session.completed", session)


def intent_of(work: Work, session: Json) -> Json:
    if session["payment_intent"] is not None:
        return work.get("payment_intent", session["payment_intent"])
    intent = intents.open_intent(
        work,
        amount=session["amount_total"],
        currency=session["currency"],
        details=work.hidden(session["id"])["payment_intent_data"],
        session=session,
    )
    work.change(session, payment_intent=intent["id"])
    emit(work, "payment_intent.created", intent)
    return intent


def expire(work: Work, id: str) -> Json:
    """POST /v1/checkout/sessions/{id}/expire. Refuses what is not open."""
    session = work.get("checkout.session", id, param="session")
    if session["status"] != "open":
        raise StripeError(
            'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of '
            f"`{session['status']}`.",
            param="session",
        )
    _close(work, session)
    return session


@timer("session_expires")
def expire_in_time(work: Work, id: str) -> None:
    session = work.get("checkout.session", id)
    if session["status"] == "open":
        _close(work, session)


def _close(work: Work, session: Json) -> None:
    work.change(session, status="expired")
    if session["payment_intent"] is not None:
        intents.void(work, work.get("payment_intent", session["payment_intent"]), "expired")
    emit(work, "checkout.session.expired", session)


def customer_details(email: str | None, country: str | None = None) -> Json | None:
    """What the page learned of the payer: nothing but the address given beforehand, before it is paid."""
    if email is None and country is None:
        return None
    address: Json = {"city": None, "country": country, "line1": None, "line2": None, "postal_code": None, "state": None}
    return {
        "address": address if country else None,
        "business_name": None,
        "email": email,
        "individual_name": None,
        "name": None,
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": [],
    }
