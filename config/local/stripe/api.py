"""The API under /v1, with one address of /v2: key, route, parameters, idempotency, the work, faults at each stage."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from config.local.stripe import forms, idempotency
from config.local.stripe.account import API_VERSION
from config.local.stripe.double import Double
from config.local.stripe.errors import InvalidParameter, RateLimited, ServerFault, StripeError
from config.local.stripe.expansion import expand
from config.local.stripe.faults import Strikes
from config.local.stripe.keys import check_secret_key
from config.local.stripe.objects.views import present
from config.local.stripe.params import Params
from config.local.stripe.routes import Route, find_route
from config.local.stripe.wire import Dropped, Request, Response, json_response
from config.local.stripe.work import Cause, Work

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Call:
    """A request understood: where it goes, with what, under which key."""

    request: Request
    route: Route
    id: str
    parameters: forms.Tree
    attempt: idempotency.Attempt | None
    strikes: Strikes


def answer(double: Double, request: Request, strikes: Strikes) -> Response:
    try:
        check_secret_key(request, double.account.secret_key)
        _refuse_when_busy(strikes)
        response = _answer_once(double, _understand(request, strikes))
    except StripeError as error:
        response = error.response()
    if "answer_livemode" in strikes:
        response = replace(response, body=json.dumps(_as_live(json.loads(response.body))).encode())
    return _with_usual_headers(request, response)


def _refuse_when_busy(strikes: Strikes) -> None:
    if "rate_limit" in strikes:
        raise RateLimited("Request rate limit exceeded. Learn more about rate limits.", code="rate_limit")
    if "lock_timeout" in strikes:
        raise RateLimited(
            "This object cannot be accessed right now because another API request or Stripe process is currently "
            "accessing it. Please try again.",
            code="lock_timeout",
        )


def _understand(request: Request, strikes: Strikes) -> Call:
    route, id = find_route(request.method, request.path)
    parameters = forms.decode(request.query if request.method == "GET" else _form(request))
    key = request.headers.get("idempotency-key")
    attempt = None
    if request.method == "POST" and key is not None:
        attempt = idempotency.Attempt.of(key, request.path, parameters)
    return Call(request, route, id, parameters, attempt, strikes)


def _form(request: Request) -> str:
    if request.body and request.content_type != FORM:
        raise InvalidParameter(
            f"Invalid request (check that your POST content type is {FORM}). The API does not take other bodies."
        )
    try:
        return request.body.decode()
    except UnicodeDecodeError:
        raise InvalidParameter("The request body is not valid UTF-8.") from None


def _answer_once(double: Double, call: Call) -> Response:
    if call.attempt is None:
        return _answer(double, call)
    with double.keys_in_use.hold(call.attempt.key):
        return _answer(double, call)


def _answer(double: Double, call: Call) -> Response:
    time.sleep(call.strikes.seconds("delay_before"))
    if "drop_before" in call.strikes:
        raise Dropped
    attempt = call.attempt
    with double.work(Cause(call.request.id, attempt.key if attempt else None)) as work:
        if attempt and (replay := idempotency.recall(work, attempt)):
            return replay
        response, stored = _execute(work, call)
        if attempt and stored:
            idempotency.remember(work, attempt, response, call.request.id)
        return response


def _execute(work: Work, call: Call) -> tuple[Response, bool]:
    """The answer, and whether the idempotency layer keeps it."""
    try:
        if "error_before" in call.strikes:
            raise ServerFault(call.strikes.status("error_before"))
        with _savepoint(work):
            response = json_response(200, _run(work, call))
        if "error_after" in call.strikes:
            raise ServerFault(call.strikes.status("error_after"))
        return response, True
    except StripeError as error:
        return error.response(), error.stored


def _run(work: Work, call: Call) -> Any:
    params = Params(call.parameters)
    paths = params.texts("expand")
    return expand(work, present(work, call.route.run(work, params, call.id)), paths)


@contextmanager
def _savepoint(work: Work) -> Iterator[None]:
    """Undoes a refused call, except a refusal that is itself an event in the life of the object."""
    work.db.execute("SAVEPOINT call")
    try:
        yield
    except BaseException as error:
        if not (isinstance(error, StripeError) and error.commits):
            work.db.execute("ROLLBACK TO call")
        work.db.execute("RELEASE call")
        raise
    work.db.execute("RELEASE call")


def _as_live(data: Any) -> Any:
    if isinstance(data, dict):
        return {name: True if name == "livemode" else _as_live(value) for name, value in data.items()}
    return [_as_live(item) for item in data] if isinstance(data, list) else data


def _with_usual_headers(request: Request, response: Response) -> Response:
    headers = {"Request_Id": request.id, "Stripe_Version": request.headers.get("stripe-version", API_VERSION)}
    key = request.headers.get("idempotency-key", "")
    if request.method == "POST" and key:
        headers["Idempotency_Key"] = key
        if response.status >= 500:
            # The key would only replay the fault; Stripe tells its clients so.
            headers["Stripe_Should_Retry"] = "false"
    if response.status == 401:
        headers["WWW_Authenticate"] = 'Bearer realm="Stripe"'
    return response.with_headers(**headers)
