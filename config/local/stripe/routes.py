"""The addresses under /v1 and /v2, and what answers them."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from config.local.stripe.errors import ResourceMissing, UnknownUrl
from config.local.stripe.expansion import line_items
from config.local.stripe.listing import page
from config.local.stripe.objects import (
    evidence,
    intents,
    payout_moves,
    payouts,
    refund_moves,
    refunds,
    session_opening,
    sessions,
    thin_events,
    transfers,
)
from config.local.stripe.objects.balance import read_balance
from config.local.stripe.objects.events import KEPT_SECONDS
from config.local.stripe.objects.updates import update
from config.local.stripe.params import Params
from config.local.stripe.wire import Json
from config.local.stripe.work import Work

Endpoint = Callable[[Work, Params, str], Json]


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    address: re.Pattern[str]
    run: Endpoint


def find_route(method: str, path: str) -> tuple[Route, str]:
    """The route, and the id in its address ("" where it has none)."""
    for route in ROUTES:
        if route.method == method and (match := route.address.fullmatch(path)):
            return route, match.groupdict().get("id", "")
    raise UnknownUrl(method, path)


def _route(method: str, address: str, run: Endpoint) -> Route:
    return Route(method, re.compile(address.replace("{id}", r"(?P<id>[A-Za-z0-9_]+)")), run)


def _listing(kind: str, url: str) -> Route:
    return _route("GET", url, lambda work, params, _: page(work, kind, url, params))


def _retrieval(kind: str, address: str) -> Route:
    def retrieve(work: Work, params: Params, id: str) -> Json:
        params.finish()
        body = work.get(kind, id)
        if kind == "event" and body["created"] < work.now - KEPT_SECONDS:
            raise ResourceMissing(kind, id)
        return body

    return _route("GET", address, retrieve)


def _updating(kind: str, address: str) -> Route:
    return _route("POST", address, lambda work, params, id: update(work, kind, id, params))


def _create_session(work: Work, params: Params, _: str) -> Json:
    return session_opening.create(work, params)


def _expire_session(work: Work, params: Params, id: str) -> Json:
    params.finish()
    return sessions.expire(work, id)


def _list_line_items(work: Work, params: Params, id: str) -> Json:
    params.integer("limit", low=1, high=100)
    params.finish()
    return line_items(work, work.get("checkout.session", id, param="session"))


def _read_balance(work: Work, params: Params, _: str) -> Json:
    params.finish()
    return read_balance(work)


def _retrieve_thin_event(work: Work, params: Params, id: str) -> Json:
    params.finish()
    return thin_events.retrieve(work, id)


ROUTES = [
    _route("POST", "/v1/checkout/sessions", _create_session),
    _listing("checkout.session", "/v1/checkout/sessions"),
    _retrieval("checkout.session", "/v1/checkout/sessions/{id}"),
    _updating("checkout.session", "/v1/checkout/sessions/{id}"),
    _route("POST", "/v1/checkout/sessions/{id}/expire", _expire_session),
    _route("GET", "/v1/checkout/sessions/{id}/line_items", _list_line_items),
    _route("POST", "/v1/payment_intents", lambda work, params, _: intents.create(work, params)),
    _listing("payment_intent", "/v1/payment_intents"),
    _retrieval("payment_intent", "/v1/payment_intents/{id}"),
    _updating("payment_intent", "/v1/payment_intents/{id}"),
    _route("POST", "/v1/payment_intents/{id}/confirm", lambda work, params, id: intents.confirm(work, id, params)),
    _route("POST", "/v1/payment_intents/{id}/cancel", lambda work, params, id: intents.cancel(work, id, params)),
    _listing("charge", "/v1/charges"),
    _retrieval("charge", "/v1/charges/{id}"),
    _updating("charge", "/v1/charges/{id}"),
    _route("POST", "/v1/refunds", lambda work, params, _: refunds.create(work, params)),
    _listing("refund", "/v1/refunds"),
    _retrieval("refund", "/v1/refunds/{id}"),
    _updating("refund", "/v1/refunds/{id}"),
    _route("POST", "/v1/refunds/{id}/cancel", lambda work, params, id: refund_moves.cancel(work, id, params)),
    _listing("dispute", "/v1/disputes"),
    _retrieval("dispute", "/v1/disputes/{id}"),
    _route("POST", "/v1/disputes/{id}", lambda work, params, id: evidence.update(work, id, params)),
    _route("POST", "/v1/disputes/{id}/close", lambda work, params, id: evidence.close(work, id, params)),
    _listing("event", "/v1/events"),
    _retrieval("event", "/v1/events/{id}"),
    _route("GET", "/v2/core/events/{id}", _retrieve_thin_event),
    _route("GET", "/v1/balance", _read_balance),
    _listing("balance_transaction", "/v1/balance_transactions"),
    _retrieval("balance_transaction", "/v1/balance_transactions/{id}"),
    _route("POST", "/v1/payouts", lambda work, params, _: payouts.create(work, params)),
    _listing("payout", "/v1/payouts"),
    _retrieval("payout", "/v1/payouts/{id}"),
    _updating("payout", "/v1/payouts/{id}"),
    _route("POST", "/v1/transfers", lambda work, params, _: transfers.create(work, params)),
    _listing("transfer", "/v1/transfers"),
    _retrieval("transfer", "/v1/transfers/{id}"),
    _updating("transfer", "/v1/transfers/{id}"),
    _route("POST", "/v1/transfers/{id}/reversals", lambda work, params, id: transfers.reverse(work, id, params)),
    _route("POST", "/v1/payouts/{id}/cancel", lambda work, params, id: payout_moves.cancel(work, id, params)),
]
