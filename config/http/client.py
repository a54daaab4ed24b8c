"""Calling: which address, how often, along which redirects."""

import logging
import random
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urljoin

from django.db import connection
from urllib3.exceptions import LocationParseError
from urllib3.util import Url, parse_url

from config import metrics, tracing
from config.http.answers import NO_HEADERS, USUAL, Answer, Limits, Progress, read_answer, retry_after
from config.http.breakers import Breaker, Outcome, breaker_of
from config.http.calling import Call, called
from config.http.connections import port_of
from config.http.failures import AddressRefused, CircuitOpen, HttpFailed, StatusRefused, TooLarge, Unreachable
from config.http.inward import is_loopback_allowed
from config.http.purposes import FEEDS, Purpose

logger = logging.getLogger(__name__)

USER_AGENT = "outlast"
OK, NOT_MODIFIED = 200, 304
REDIRECTS = frozenset({301, 302, 303, 307, 308})
CONDITIONS = frozenset({"If-None-Match", "If-Modified-Since"})
# Doing it twice is doing it once; so is whatever names itself by a key.
REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
NAMES_ITSELF = frozenset({"idempotency-key", "webhook-id"})
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
LONGEST_ADDRESS = 2000

SECONDS = metrics.histogram(
    "outgoing_call_seconds", "Time of calls to other servers, retries included.", ["purpose", "outcome"],
    (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)  # fmt: skip


def fetch(
    address: str,
    *,
    purpose: Purpose = FEEDS,
    limits: Limits = USUAL,
    etag: str = "",
    last_modified: str = "",
    progress: Progress | None = None,
) -> Answer:
    """The body behind an http(s) address, or that it is still the one of `etag` or `last_modified`.

    Tries again after a lost connection, a timeout, a body broken off, 429 and most of 5xx. Raises one of `HttpFailed`.
    """
    deadline = time.monotonic() + limits.total
    conditions = {"If-None-Match": etag, "If-Modified-Since": last_modified}
    call = Call("GET", purpose, _headers({name: value for name, value in conditions.items() if value}))
    url = check_address(address, purpose=purpose)
    return _tried(lambda: _follow(url, call, limits, deadline, progress), url, call, limits, deadline)


def post_form(
    address: str,
    body: bytes,
    *,
    purpose: Purpose,
    headers: Mapping[str, str] = NO_HEADERS,
    limits: Limits = USUAL,
) -> Answer:
    """What a server answers to a form. Sent once, whatever comes of it, and along no redirect. Raises `HttpFailed`."""
    deadline = time.monotonic() + limits.total
    form = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded", **headers}
    call = Call("POST", purpose, _headers(form), body)
    url = check_address(address, purpose=purpose)

    def once() -> Answer:
        with called(url, call, limits, deadline - time.monotonic()) as response:
            if response.status != OK:
                raise StatusRefused(response.status, retry_after(response))
            return read_answer(response, limits)

    return _tried(once, url, call, limits, deadline)


def send(
    method: str,
    address: str,
    *,
    purpose: Purpose,
    headers: Mapping[str, str] = NO_HEADERS,
    body: bytes | None = None,
    limits: Limits = USUAL,
    keeps_connection: bool = False,
) -> Answer:
    """What a server answers to a call of any kind, whatever the status. No redirect is followed. Raises `HttpFailed`.

    Tried again like `fetch`, but only if doing it twice is doing it once: by its method, or as it carries a key.
    """
    deadline = time.monotonic() + limits.total
    call = Call(method.upper(), purpose, _headers(headers), body, keeps_connection)
    url = check_address(address, purpose=purpose)

    def once() -> Answer:
        with called(url, call, limits, deadline - time.monotonic()) as response:
            answer = read_answer(response, limits)
            failure = StatusRefused(response.status, retry_after(response), answer)
            if failure.is_transient or response.status >= 500:
                raise failure
            return answer

    try:
        return _tried(once, url, call, limits, deadline)
    except StatusRefused as failure:
        if failure.answer is None:
            raise
        return failure.answer


def refuse_inside_transaction() -> None:
    """A call to somebody else inside a transaction would hold its locks for as long as they please."""
    # Django's own test cases wrap every test in a transaction, and mark it.
    blocks: list[Any] = connection.atomic_blocks
    if any(not getattr(block, "_from_testcase", False) for block in blocks):
        raise RuntimeError("No other server is called inside a transaction.")


def check_address(address: str, *, purpose: Purpose = FEEDS) -> Url:
    """The parts of an address that we would go to. Raises `AddressRefused`; nothing is looked up."""
    try:
        url = parse_url(address.strip())
    except LocationParseError:
        raise AddressRefused("this is no address") from None
    if url.scheme not in ("http", "https") or not url.host or len(address) > LONGEST_ADDRESS:
        raise AddressRefused("only http and https addresses with a host are fetched")
    if url.auth:
        raise AddressRefused("an address must not hold a name or password")
    allowed = purpose.hosts()
    if allowed and host_of(url) not in allowed:
        raise AddressRefused(f"{host_of(url)} is not among {purpose.listed_in}")
    if is_loopback_allowed() and host_of(url) in LOOPBACK:
        return url
    if purpose.is_https_only and url.scheme != "https":
        raise AddressRefused("it must begin with https://")
    if purpose.ports and port_of(url) not in purpose.ports:
        raise AddressRefused(f"its port must be {' or '.join(map(str, sorted(purpose.ports)))}")
    return url


def host_of(url: Url) -> str:
    """The name or number, as lists and breakers know it."""
    return (url.host or "").strip("[]").rstrip(".").lower()


def _headers(given: Mapping[str, str]) -> dict[str, str]:
    return {"User-Agent": USER_AGENT, "Accept-Encoding": "gzip", **tracing.outgoing_headers(), **given}


def _tried(once: Callable[[], Answer], url: Url, call: Call, limits: Limits, deadline: float) -> Answer:
    """One call, and again for as long as that may help and is allowed; told to the breaker of its host."""
    refuse_inside_transaction()
    breaker = breaker_of(call.purpose, host_of(url), port_of(url))
    attempts = limits.attempts if _is_repeatable(call) else 1
    started, attempt = time.monotonic(), 1
    with breaker.passing() as passage:
        while True:
            try:
                answer = once()
            except HttpFailed as failure:
                passage.outcome = _said_by(failure, call.purpose)
                wait = _wait_before(attempt, failure, limits) if attempt < attempts else None
                if not _is_worth_it(wait, breaker, deadline):
                    _measure(call, passage.outcome, started)
                    raise
                logger.info("try %s of %s failed: %s", attempt, attempts, failure.message)
                time.sleep(wait or 0)
                attempt += 1
            else:
                passage.outcome = Outcome.SUCCEEDED
                _measure(call, passage.outcome, started)
                return answer


def _is_repeatable(call: Call) -> bool:
    return call.method in REPEATABLE or any(name.lower() in NAMES_ITSELF for name in call.headers)


def _is_worth_it(wait: float | None, breaker: Breaker, deadline: float) -> bool:
    return wait is not None and time.monotonic() + wait < deadline and breaker.may_retry()


def _measure(call: Call, outcome: Outcome, started: float) -> None:
    SECONDS.labels(call.purpose.name, outcome).observe(time.monotonic() - started)


def _said_by(failure: HttpFailed, purpose: Purpose) -> Outcome:
    """What a failure tells about the host itself."""
    if isinstance(failure, StatusRefused):
        return Outcome.FAILED if failure.status >= 500 and purpose.counts_statuses else Outcome.SUCCEEDED
    if isinstance(failure, AddressRefused | CircuitOpen):
        return Outcome.NEITHER
    if isinstance(failure, TooLarge):
        return Outcome.SUCCEEDED
    return Outcome.FAILED if purpose.counts_statuses or isinstance(failure, Unreachable) else Outcome.NEITHER


def _wait_before(attempt: int, failure: HttpFailed, limits: Limits) -> float | None:
    """How long to wait before the next try; None where that is pointless or longer than we wait."""
    if not failure.is_transient:
        return None
    # Full jitter: those who failed together do not come back together.
    wait = random.uniform(0, limits.backoff * 2.0 ** (attempt - 1))
    asked = failure.retry_after if isinstance(failure, StatusRefused) else None
    if asked is None:
        return wait
    return max(wait, asked) if asked <= limits.longest_wait else None


def _follow(url: Url, call: Call, limits: Limits, deadline: float, progress: Progress | None) -> Answer:
    """One try, along redirects that stay on the host and do not leave https."""
    is_conditional = bool(CONDITIONS & call.headers.keys())
    for _ in range(limits.redirects + 1):
        with called(url, call, limits, deadline - time.monotonic()) as response:
            if response.status not in REDIRECTS:
                if not (response.status == OK or (response.status == NOT_MODIFIED and is_conditional)):
                    raise StatusRefused(response.status, retry_after(response))
                return read_answer(response, limits, progress)
            target = _target(url, response.headers.get("Location", ""), call.purpose)
        if host_of(target) != host_of(url):
            raise AddressRefused(f"it redirects to another host, {host_of(target)}")
        if url.scheme == "https" and target.scheme != "https":
            raise AddressRefused("it redirects from https to http")
        url = target
    raise AddressRefused(f"it redirects more than {limits.redirects} times")


def _target(url: Url, location: str, purpose: Purpose) -> Url:
    """Where a redirect leads, which may be said relative to where it came from."""
    try:
        return check_address(urljoin(url.url, location), purpose=purpose)
    except ValueError:
        raise AddressRefused("it redirects to what is no address") from None
