"""The hosted page of a Checkout Session, and the same for scripts.

GET  /pay/{session}       the page
POST /pay/{session}/pay   from the page's form: redirects to success_url, or back to the page after a decline;
                          with a JSON body {"card": "4242424242424242"}: 200 with the session, 402 when declined
"""

import json
import re
import time

from config.local.stripe import banks, cards, forms, page
from config.local.stripe.banks import BankAccount
from config.local.stripe.cards import Card
from config.local.stripe.double import Double
from config.local.stripe.errors import (
    CardDeclined,
    InvalidParameter,
    ResourceMissing,
    ServerFault,
    StripeError,
    UnknownUrl,
)
from config.local.stripe.faults import Strikes
from config.local.stripe.objects import sessions
from config.local.stripe.wire import Dropped, Json, Request, Response, html_response, json_response, redirect
from config.local.stripe.work import Work

ADDRESS = re.compile(r"/pay/(?P<id>[A-Za-z0-9_]+)(?P<pay>/pay)?/?")
FORM = "application/x-www-form-urlencoded"


class WrongNumber(CardDeclined):
    """Not the number of any card: the page notices before a bank is asked, so nothing is left behind."""

    def __init__(self) -> None:
        super().__init__("Your card number is incorrect.", code="incorrect_number", param="card")


class Gone(StripeError):
    status = 410

    def __init__(self) -> None:
        super().__init__("This Checkout Session has expired.", code="session_expired")


def answer(double: Double, request: Request, strikes: Strikes) -> Response:
    address = ADDRESS.fullmatch(request.path)
    if address is None:
        return UnknownUrl(request.method, request.path).response()
    time.sleep(strikes.seconds("delay_before"))
    if "drop_before" in strikes:
        raise Dropped
    if "error_before" in strikes:
        return ServerFault(strikes.status("error_before")).response()
    response = _answer(double, request, address["id"], paying=address["pay"] is not None)
    if "error_after" in strikes:
        return ServerFault(strikes.status("error_after")).response()
    return response


def _answer(double: Double, request: Request, id: str, *, paying: bool) -> Response:
    if not paying and request.method == "GET":
        return _show(double, id)
    if paying and request.method == "POST":
        return (
            _pay_from_page(double, request, id) if request.content_type == FORM else _pay_by_script(double, request, id)
        )
    allowed = "POST" if paying else "GET"
    body = {"error": {"message": f"Only {allowed} is allowed here.", "type": "invalid_request_error"}}
    return json_response(405, body, Allow=allowed)


def _show(double: Double, id: str) -> Response:
    with double.work() as work:
        session = work.find("checkout.session", id)
        if session is None:
            return html_response(404, page.unknown(double.account))
        if session["status"] == "complete":
            return html_response(200, page.completed(double.account, session, success_url(session)))
        if session["status"] == "expired":
            return html_response(410, page.expired(double.account, session))
        items = work.hidden(id)["line_items"]
        return html_response(200, page.open_session(double.account, session, items, _last_refusal(work, session)))


def _last_refusal(work: Work, session: Json) -> str | None:
    intent = work.find("payment_intent", session["payment_intent"] or "")
    if intent is None or intent["last_payment_error"] is None:
        return None
    return str(intent["last_payment_error"]["message"])


def _pay_from_page(double: Double, request: Request, id: str) -> Response:
    """Whatever happens, the browser ends on a page that shows the session as it now is."""
    try:
        number = forms.decode(request.body.decode(errors="replace")).get("card", "")
        session, _ = pay(double, id, _means(number))
    except StripeError:
        return redirect(f"/pay/{id}")
    return redirect(success_url(session))


def _pay_by_script(double: Double, request: Request, id: str) -> Response:
    try:
        session, charged = pay(double, id, _means(_posted_number(request)))
    except StripeError as error:
        return error.response()
    shown = (
        "id",
        "object",
        "status",
        "payment_status",
        "amount_total",
        "currency",
        "client_reference_id",
        "payment_intent",
    )
    return json_response(
        200, {name: session[name] for name in shown} | {"charged": charged, "success_url": success_url(session)}
    )


def pay(double: Double, id: str, means: Card | BankAccount | None) -> tuple[Json, bool]:
    """Pays the session once, however often and however concurrently this is called; answers whether this call did.

    Refuses unknown sessions (404), expired ones (410), wrong numbers and declined cards (402; a decline is recorded).
    """
    with double.work() as work:
        session = work.find("checkout.session", id)
        if session is None:
            raise ResourceMissing("checkout.session", id)
        try:
            sessions.require_open(session)
            refusal = _take(work, session, means)
        except sessions.AlreadyPaid:
            return session, False
        except sessions.SessionExpired:
            raise Gone from None
    # Raised only here, so that the failed charge and its events are committed.
    if refusal is not None:
        raise refusal
    return session, True


def _take(work: Work, session: Json, means: Card | BankAccount | None) -> CardDeclined | None:
    if isinstance(means, BankAccount) and banks.METHOD in session["payment_method_types"]:
        sessions.debit(work, session, means)
        return None
    if not isinstance(means, Card):
        return WrongNumber()
    try:
        sessions.pay(work, session, means)
    except CardDeclined as refusal:
        return refusal
    return None


def _means(number: object) -> Card | BankAccount | None:
    """What the number belongs to; a bank account only counts where the session offers to pay by bank."""
    return (cards.find_card(number) or banks.find_account(number)) if isinstance(number, str) else None


def _posted_number(request: Request) -> str:
    try:
        body = json.loads(request.body)
    except ValueError:
        raise InvalidParameter("The request body is not valid JSON.", code="json_invalid") from None
    if not isinstance(body, dict) or "card" not in body:
        raise InvalidParameter("Missing required param: card.", code="parameter_missing", param="card")
    if not isinstance(body["card"], str):
        raise InvalidParameter("Invalid string: the card number must be a string.", param="card")
    return body["card"]


def success_url(session: Json) -> str:
    return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"])
