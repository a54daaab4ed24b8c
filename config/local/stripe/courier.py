"""The background threads: a few that send webhooks, one that lets the clock's timers run.

Several senders work at once, so events overtake each other as they do with Stripe. All of them sleep until something
is due, and are woken when something new is.
"""

import http.client
import json
import logging
import threading
import time
from urllib.parse import urlsplit

from config.local.stripe import timers, webhooks
from config.local.stripe.account import Endpoint
from config.local.stripe.double import Double
from config.local.stripe.objects.thin_events import as_sent
from config.local.stripe.signing import signature_header
from config.local.stripe.store import Closed
from config.local.stripe.webhooks import THIN, Delivery, Outcome

SENDERS = 4
LONGEST_SLEEP = 60.0
USER_AGENT = "Stripe/1.0 (+https://docs.stripe.com/webhooks)"

log = logging.getLogger(__name__)


class Courier:
    def __init__(self, double: Double) -> None:
        self._double = double

    def start(self) -> None:
        for number in range(SENDERS):
            threading.Thread(target=self._send_for_ever, name=f"sender-{number}", daemon=True).start()
        threading.Thread(target=self._tick_for_ever, name="timers", daemon=True).start()

    def deliver(self, delivery: Delivery) -> Outcome:
        """Sends a claimed delivery once, and writes down how it went."""
        outcome = send(delivery, self._double.account.endpoint)
        with self._double.work() as work:
            webhooks.record(work, delivery, outcome, self._double.clock.now())
        log.info("webhook %s -> %s", delivery.event["type"], outcome.status or outcome.error)
        return outcome

    def _send_for_ever(self) -> None:
        try:
            while True:
                self._send_next()
        except Closed:
            return

    def _send_next(self) -> None:
        seen = self._double.bell.strokes
        with self._double.work() as work:
            now = self._double.clock.now()
            delivery, due = webhooks.claim_due(work, now), webhooks.next_due(work)
        if delivery is not None:
            self.deliver(delivery)
        else:
            self._double.bell.wait(seen, LONGEST_SLEEP if due is None else min(due - now, LONGEST_SLEEP))

    def _tick_for_ever(self) -> None:
        try:
            while True:
                seen = self._double.bell.strokes
                with self._double.work() as work:
                    due = timers.next_due(work)
                left = LONGEST_SLEEP if due is None else due - self._double.clock.now()
                self._double.bell.wait(seen, min(left, LONGEST_SLEEP))
        except Closed:
            return


def send(delivery: Delivery, endpoint: Endpoint) -> Outcome:
    """One POST of the signed event. Redirects are not followed; any 2xx is success."""
    thin = delivery.event["object"] == THIN
    url = (thin and endpoint.thin_url) or endpoint.url or ""
    secret = endpoint.thin_secret if thin else endpoint.secret
    body = as_sent(delivery.event) if thin else delivery.event
    payload = json.dumps(body, indent=2, ensure_ascii=False).encode()
    headers = _headers(payload, secret, age=endpoint.signature_age)
    started = time.monotonic()
    try:
        status, error = _post(url, payload, headers, endpoint.timeout), None
    except (OSError, http.client.HTTPException, ValueError) as problem:
        status, error = None, f"{type(problem).__name__}: {problem}"
    return Outcome(status, error, round(time.monotonic() - started, 4), url)


def _headers(payload: bytes, secret: str, *, age: int) -> dict[str, str]:
    # The receiver compares this time with its own clock, so it is real time, whatever the double's clock reads.
    signed_at = int(time.time()) - age
    return {
        "Content-Type": "application/json; charset=utf-8",
        "Stripe-Signature": signature_header(payload, secret, signed_at),
        "User-Agent": USER_AGENT,
    }


def _post(url: str, payload: bytes, headers: dict[str, str], timeout: float) -> int:
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    connect = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = connect(parts.hostname or "", parts.port, timeout=timeout)
    try:
        connection.request("POST", (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), payload, headers)
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()
