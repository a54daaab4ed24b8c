"""How often a caller may knock.

A view declares its policies, on the class or per operation:

    limits = (SIGN_IN, SIGN_IN_ADDRESS)

Counting is exact under concurrency (one atomic increment in Redis). Every limited answer carries `X-RateLimit-Limit`,
`-Remaining` and `-Reset` (seconds from now) of its tightest policy; a refusal also `Retry-After`.

A door that wants to count failures alone calls `forgive(request)` once the caller turned out to be right: sign-in
counts each try before the password is looked at, and takes back its own count, nobody else's.

Redis away or frozen: doors that guard secrets, places and money count in PostgreSQL instead; the others stand open,
because saving a pick must never depend on Redis (`config.api.counting`).
"""

import hashlib
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request

from config import audit, figures
from config.api import counting, counting_rows
from config.api.addresses import client_address, network_of
from config.errors import Code, TooMany
from config.phrases import phrase

logger = logging.getLogger(__name__)

# In the environment of a request: what was counted already, by the policy's name. No header can have this name.
COUNTED = "outlast.counted"


class By(StrEnum):
    """Whom a policy counts."""

    ADDRESS = "address"
    USER = "user"  # the address while nobody is signed in
    TARGET = "target"  # a field of the body, wherever the call comes from
    KEY = "key"  # the API key that came along
    TARGET_FROM_ADDRESS = "target_from_address"  # so that a stranger cannot lock the owner out


@dataclass(frozen=True)
class Policy:
    """At most `limit` calls in `seconds` for each of whom it counts, under one name wherever it is used."""

    name: str
    limit: int
    seconds: int
    by: By = By.USER
    field: str = ""
    survives_redis: bool = False

    @property
    def allowed(self) -> int:
        """The limit, scaled where it spreads load or counts a whole address; never for one account or for money.

        Behind one address there can be an office, or on a developer's machine everybody.
        """
        is_scaled = self.by is By.ADDRESS or not self.survives_redis
        return self.limit * settings.RATE_LIMIT_SCALE if is_scaled else self.limit


READ = Policy("read", 1200, 60)
WRITE = Policy("write", 300, 60)
PICK = Policy("pick", 600, 60)
JOIN = Policy("join", 60, 60, survives_redis=True)
MONEY = Policy("money", 60, 60, survives_redis=True)
STAFF = Policy("staff", 600, 60)
# Beside those of its owner: one service that runs wild must not use up what the others need.
API_KEY = Policy("api_key", 600, 60, By.KEY)
SIGN_IN = Policy("sign_in", 5, 15 * 60, By.TARGET_FROM_ADDRESS, "email", survives_redis=True)
SIGN_IN_ADDRESS = Policy("sign_in_address", 100, 15 * 60, By.ADDRESS, survives_redis=True)
REFRESH = Policy("refresh", 120, 60, By.ADDRESS, survives_redis=True)
REGISTER = Policy("register", 60, 60 * 60, By.ADDRESS, survives_redis=True)
# Each for itself: what is asked for in vain, such as another link for an address that is verified, uses up no other.
VERIFY_TO = Policy("verify_to", 5, 60 * 60, By.TARGET, "email", survives_redis=True)
RESET_TO = Policy("reset_to", 5, 60 * 60, By.TARGET, "email", survives_redis=True)
MOVE_TO = Policy("move_to", 5, 60 * 60, By.TARGET, "email", survives_redis=True)
# Somebody who holds a stolen token, or sits at a foreign browser, must not try passwords with it.
OWN_PASSWORD = Policy("own_password", 5, 15 * 60, By.USER, survives_redis=True)
TOKEN_TRY = Policy("token_try", 60, 15 * 60, By.ADDRESS, survives_redis=True)
# Calls without credentials, or with bad ones, where some are needed: an office of people whose tokens are over is many.
NOBODY = Policy("nobody", 1200, 60, By.ADDRESS)
# Calls of somebody who may not.
DENIED = Policy("denied", 600, 60)
# Everything outside the API: the back office, pages that mails lead to, documentation.
PAGE = Policy("page", 600, 60, By.ADDRESS)
# One for each mail, from few addresses; each proves itself, and what is turned away comes again.
MAIL_NEWS = Policy("mail_news", 6000, 60, By.ADDRESS)


@dataclass(frozen=True)
class Usage:
    """How much of a policy one caller has used, and how to take this call back."""

    policy: Policy
    count: int
    seconds_left: int
    take_back: Callable[[], object]
    whom: str = ""

    @property
    def remaining(self) -> int:
        return max(self.policy.allowed - self.count, 0)

    @property
    def is_over(self) -> bool:
        return self.count > self.policy.allowed

    def headers(self) -> dict[str, str]:
        """What every answer says about it."""
        return {
            "X-RateLimit-Limit": str(self.policy.allowed),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(self.seconds_left),
        }


class RateLimited(TooMany):
    """Refused by a policy."""

    def __init__(self, usage: Usage) -> None:
        super().__init__(
            Code.RATE_LIMITED,
            phrase("Too many calls. Try again in {seconds} s.", seconds=usage.seconds_left),
            {"limit": usage.policy.allowed, "per_seconds": usage.policy.seconds, "retry_after": usage.seconds_left},
        )


def enforce(policies: Iterable[Policy], request: Request) -> None:
    """Count the call under each policy. Raises `RateLimited` when one is over.

    Every policy is counted even when an earlier one refuses, or a caller could save up one by exhausting another.
    """
    enforce_on(((policy, _said(policy, request)) for policy in policies), request._request)


def enforce_on(counted: Iterable[tuple[Policy, str]], request: HttpRequest) -> None:
    """The same for whom the caller of this function names: what only they know, such as whose password was right."""
    usages = [usage for policy, whom in counted if (usage := count(policy, whom, request)) is not None]
    # Told once, and not while another of them was reached before: who is over for their address could name new targets
    # without end.
    if all(usage.count <= usage.policy.allowed + 1 for usage in usages):
        for usage in usages:
            if usage.policy.survives_redis and usage.is_over:
                _tell(usage, request)
    if any(usage.is_over for usage in usages):
        raise RateLimited(tightest(usages))


def _tell(usage: Usage, request: HttpRequest) -> None:
    """Tell the audit, once in a window, that somebody reached a limit that guards secrets, places or money."""
    user = getattr(request, "user", None)
    is_known = user is not None and user.is_authenticated
    by = user if is_known else None
    audit.record(action="limit.reached", by=by, anonymous=not is_known, data={"kind": usage.policy.name})


def tightest(usages: Iterable[Usage]) -> Usage:
    """The one that the caller is told of."""
    return min(usages, key=lambda usage: (not usage.is_over, usage.remaining))


def headers_of(request: Request) -> dict[str, str]:
    """What the answer to this request has to say about its limits."""
    return headers_on(request._request)


def headers_on(request: HttpRequest) -> dict[str, str]:
    """The same for a page."""
    found: dict[str, str] = _notes(request).get("headers", {})
    return found


def forgive(request: Request) -> None:
    """Take back what this call was counted for. A count that cannot be reached any more stays."""
    forgive_on(request._request)


def forgive_on(request: HttpRequest) -> None:
    """The same for a page."""
    for usage in _notes(request).pop("usages", []):
        _take_back(usage)


def _take_back(usage: Usage) -> None:
    try:
        usage.take_back()
    except (*counting.FAILURES, ValueError):
        logger.warning("a call could not be taken back from %s", usage.policy.name)


def _notes(request: HttpRequest) -> dict[str, Any]:
    """What travels with the request from counting it to answering it."""
    notes: dict[str, Any] = request.__dict__.setdefault("_rate_limit", {})
    return notes


def count(policy: Policy, whom: str, request: HttpRequest) -> Usage | None:
    """Count one call. None where nobody is counting: Redis is away and the policy does not outlive it."""
    hashed = _hashed(whom)
    usage = _counted_before(policy, hashed, request)
    if usage is None:
        usage, mode = _count(policy, hashed, request)
        figures.LIMITER.labels(mode).inc()
    if usage is not None:
        notes = _notes(request)
        notes.setdefault("usages", []).append(usage)
        # The view adds them to whatever answer comes of this.
        notes["headers"] = tightest(notes["usages"]).headers()
    return usage


def count_user(policies: Sequence[Policy], user_id: int) -> list[Usage]:
    """Count a call of a signed-in caller under policies by user that do not outlive Redis; [] where nobody counts.

    For calls that the view may never see. If it does after all, `hand_over` spares it counting them again.
    """
    hashed = _hashed(f"user {user_id}")
    counts = counting.add_to_all([_window(policy, hashed) for policy in policies]) or []
    figures.LIMITER.labels("redis" if counts else "open").inc(len(policies))
    return [Usage(policy, found.used, found.seconds_left, found.take_back, hashed)
            for policy, found in zip(policies, counts, strict=False)]  # fmt: skip


def hand_over(usages: Sequence[Usage], environ: dict[str, Any]) -> None:
    """Leave what was counted to whoever answers the request; what nobody asks for is taken back by `give_back`."""
    environ[COUNTED] = {(usage.policy.name, usage.whom): usage for usage in usages}


def give_back(environ: dict[str, Any]) -> None:
    """Take back what was handed over and not counted by anybody: the caller turned out not to be who they said."""
    for usage in environ.pop(COUNTED, {}).values():
        _take_back(usage)


def _counted_before(policy: Policy, hashed: str, request: HttpRequest) -> Usage | None:
    found: Usage | None = request.META.get(COUNTED, {}).pop((policy.name, hashed), None)
    return found


def _count(policy: Policy, hashed: str, request: HttpRequest) -> tuple[Usage | None, str]:
    """And who counted."""
    window, by = _window(policy, hashed), "redis"
    found = counting.add_one(window, request)
    if found is None and policy.survives_redis:
        found, by = counting_rows.add_one(window), "pg"
    if found is None:
        return None, "open"
    return Usage(policy, found.used, found.seconds_left, found.take_back), by


def _window(policy: Policy, hashed: str) -> counting.Window:
    return counting.Window(policy.name, policy.allowed, policy.seconds, hashed)


def _hashed(whom: str) -> str:
    # An e-mail address must not lie about in Redis.
    return hashlib.sha256(whom.encode()).hexdigest()


def _said(policy: Policy, request: Request) -> str:
    """The caller, as the policy sees them."""
    address = network_of(client_address(request._request))
    if policy.by is By.ADDRESS:
        return address
    if policy.by is By.KEY:
        return f"key {getattr(request.auth, 'prefix', '')}"
    if policy.by is By.USER:
        return f"user {request.user.pk}" if request.user and request.user.is_authenticated else address
    body = request.data
    target = str(body.get(policy.field, "")).strip().lower() if isinstance(body, dict) else ""
    return target if policy.by is By.TARGET else f"{target} {address}"
