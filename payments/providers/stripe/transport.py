"""Stripe's official client over our one HTTP client: the same limits, breaker and traces as every other call.

Trying again is left to Stripe's client, which knows from the answer whether that helps.
"""

from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

import stripe
from django.conf import settings

from config.http import CircuitOpen, HttpFailed, Limits, Purpose, send

HOST = "api.stripe.com"


def stripes_hosts() -> Collection[str]:
    """Stripe's own, or that of the double."""
    base: str | None = settings.STRIPE_API_BASE
    return (urlsplit(base).hostname or HOST,) if base else (HOST,)


# One answer in many that fails must not close the till.
PAYMENTS = Purpose("payments", hosts=stripes_hosts, listed_in="Stripe's own hosts", opens_after=10, rest=5.0)


class Transport(stripe.HTTPClient):
    """What Stripe's client sends with. Seconds to connect, and between two bytes."""

    name = "outlast"

    def __init__(self, *, connect: float, read: float) -> None:
        super().__init__()
        self._limits = Limits(connect=connect, read=read, total=connect + 2 * read, attempts=1)

    def request(
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None, **_: Any
    ) -> tuple[str, int, Mapping[str, str]]:
        """Body, status and headers of the answer. What was no answer is an `APIConnectionError`."""
        body = post_data.encode() if isinstance(post_data, str) else post_data
        try:
            answer = send(
                method,
                url,
                purpose=PAYMENTS,
                headers=headers or {},
                body=body,
                limits=self._limits,
                keeps_connection=True,
            )
        except HttpFailed as failure:
            is_worth_it = failure.is_transient
            raise stripe.APIConnectionError(failure.message, should_retry=is_worth_it) from failure
        return answer.body.decode(), answer.status, answer.headers

    def close(self) -> None:
        """Connections are the house's, and stay."""


def was_never_sent(error: stripe.StripeError) -> bool:
    """Whether the call was refused before anything was sent, so that nothing can have come of it."""
    return isinstance(error.__cause__, CircuitOpen)
