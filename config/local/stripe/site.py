"""Where a request goes by the first part of its path, and the faults that strike on the way in and out."""

import logging
import time

from config.local import stripe
from config.local.stripe import api, checkout, control
from config.local.stripe.courier import Courier
from config.local.stripe.double import Double
from config.local.stripe.errors import UnknownUrl
from config.local.stripe.faults import Strikes
from config.local.stripe.wire import Dropped, Request, Response, text_response

log = logging.getLogger(__name__)


class Site:
    def __init__(self, double: Double, courier: Courier) -> None:
        self._double = double
        self._courier = courier

    def answer(self, request: Request) -> Response:
        """The answer to any request; raises Dropped when the connection is to be cut instead."""
        if request.path == "/_double" or request.path.startswith("/_double/"):
            return control.answer(self._double, self._courier, request)
        strikes = self._double.faults.for_request(request.method, request.path)
        status = 0
        try:
            response = self._answer_struck(request, strikes)
            status = response.status
            return response
        finally:
            self._note(request, strikes, status)

    def _answer_struck(self, request: Request, strikes: Strikes) -> Response:
        response = self._answer(request, strikes)
        time.sleep(strikes.seconds("delay_after"))
        if "drop_after" in strikes:
            raise Dropped
        return response

    def _answer(self, request: Request, strikes: Strikes) -> Response:
        if request.path.startswith(("/v1/", "/v2/")):
            return api.answer(self._double, request, strikes)
        if request.path.startswith("/pay/"):
            return checkout.answer(self._double, request, strikes)
        if request.path == "/" and request.method == "GET":
            return text_response(200, stripe.__doc__ or "")
        return UnknownUrl(request.method, request.path).response()

    def _note(self, request: Request, strikes: Strikes, status: int) -> None:
        """Keeps what was asked, for `GET /_double/requests`. Status 0: no answer was sent."""
        self._double.requests.append(
            {
                "id": request.id,
                "at": self._double.clock.now(),
                "method": request.method,
                "path": request.path,
                "idempotency_key": request.headers.get("idempotency-key"),
                "stripe_version": request.headers.get("stripe-version"),
                "faults": sorted(strikes.rules),
                "status": status,
            }
        )
        log.info("%s %s -> %s", request.method, request.path, status or "dropped")
