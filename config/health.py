"""Is this process alive, can it serve, and what around it is missing.

Ready means PostgreSQL and its migrations. Redis, the broker, mail and the payment provider are listed and may be
`degraded` without making the answer a 503: picks are saved without any of them, and a balancer that takes every node
out because Redis blinked would close the pool. Their state is remembered for some seconds, so probes do not knock.
"""

import os
import socket
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.cache import caches
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.envelope import Failure, json_response
from config.api.views import ApiView
from config.clock import database_now
from config.connections import REDIS_TIMEOUT_SECONDS
from config.draining import is_draining
from config.errors import Code
from config.models import OutboxMessage
from config.probing import NoAnswer, Prober
from config.slow_statements import worst
from config.version import code_version

OK, DEGRADED, DOWN = "ok", "degraded", "down"
REMEMBERED_SECONDS = 10.0
CONNECT_SECONDS = 0.5
ESSENTIAL_SECONDS = 1.0
STARTED = time.time()

_remembered: dict[str, tuple[float, str]] = {}
_prober = Prober("health", keeps_connection=True)


@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """The process answers. Touches nothing."""
    return json_response({"status": OK})


@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """Whether to send callers here: 200, or 503 without PostgreSQL, with unapplied migrations, and before the end."""
    checks = essential() | optional()
    if is_draining():
        content = Failure(Code.SERVICE_UNAVAILABLE, "Not ready: about to end.", {"checks": checks, "draining": True})
        return json_response(content, status=503, headers={"Retry-After": "5"})
    if DOWN in checks.values():
        missing = ", ".join(name for name, state in checks.items() if state == DOWN)
        content = Failure(Code.SERVICE_UNAVAILABLE, f"Not ready: {missing}.", {"checks": checks})
        return json_response(content, status=503, headers={"Retry-After": "5"})
    return json_response({"status": DEGRADED if DEGRADED in checks.values() else OK, "checks": checks})


class Detailed(ApiView):
    """For staff: the same checks fresh, and what is waiting."""

    # The API's own: a good signature is not enough, the session must be live.
    authentication_classes = [*ApiView.authentication_classes, SessionAuthentication]
    permission_classes = [IsAdminUser]
    schema = None

    def get(self, request: Request) -> Response:
        """Everything that one look at night should tell."""
        _remembered.clear()
        checks = essential() | optional()
        return Response(
            {
                "status": DOWN if DOWN in checks.values() else DEGRADED if DEGRADED in checks.values() else OK,
                "checks": checks,
                "outbox": outbox_state() if checks["postgresql"] == OK else None,
                "slow_statements": [asdict(slow) for slow in worst(limit=5)],
                "environment": settings.OUTLAST_ENV,
                "release": code_version(),
                "draining": is_draining(),
                "process": {"pid": os.getpid(), "started_seconds_ago": round(time.time() - STARTED)},
            }
        )


detailed = Detailed.as_view()


def essential() -> dict[str, str]:
    """Without these nothing can be served. Answers within `ESSENTIAL_SECONDS`, also where PostgreSQL is frozen."""
    try:
        return _prober.ask(_essential, seconds=ESSENTIAL_SECONDS)
    except (NoAnswer, DatabaseError):
        return {"postgresql": DOWN, "migrations": DOWN}


def _essential() -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return {"postgresql": OK, "migrations": OK if migrations_are_applied() else DOWN}


def migrations_are_applied() -> bool:
    """Whether the tables are those of this code. Once true it stays so: a process never changes its code."""
    global _all_applied
    if not _all_applied:
        executor = MigrationExecutor(connection)
        _all_applied = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    return _all_applied


_all_applied = False


def optional() -> dict[str, str]:
    """What is missed when it is away, but not needed to save a pick."""
    return {
        "redis": _state("redis", _ask_redis),
        "broker": _state("broker", _ask_broker),
        "mail": _state("mail", _ask_mail),
        "provider": _state("provider", _ask_provider),
    }


def outbox_state() -> dict[str, Any]:
    """How much work waits, since when, and how much was given up."""
    waiting = OutboxMessage.objects.filter(done_at=None, dead_at=None).order_by("created_at")
    oldest = waiting.first()
    return {
        "waiting": waiting.count(),
        "dead": OutboxMessage.objects.filter(dead_at__isnull=False).count(),
        "oldest_seconds": round((database_now() - oldest.created_at).total_seconds()) if oldest else 0,
    }


def _state(name: str, ask: Callable[[], None]) -> str:
    """`ok` unless asking raises; an answer is remembered for some seconds."""
    at, known = _remembered.get(name, (0.0, ""))
    if known and time.monotonic() - at < REMEMBERED_SECONDS:
        return known
    try:
        ask()
        known = OK
    except Exception:  # noqa: BLE001  # whichever library raises whatever: the answer is the same
        known = DEGRADED
    _remembered[name] = (time.monotonic(), known)
    return known


def _ask_redis() -> None:
    caches["limits"].get("health")


def _ask_broker() -> None:
    _broker().ping()


@cache
def _broker() -> Redis:
    seconds = REDIS_TIMEOUT_SECONDS
    return Redis.from_url(
        settings.CELERY_BROKER_URL, socket_timeout=seconds, socket_connect_timeout=seconds, retry=Retry(NoBackoff(), 0)
    )


def _ask_mail() -> None:
    host = getattr(settings, "EMAIL_HOST", "")
    if settings.EMAIL_BACKEND.startswith("django.core.mail.backends.smtp"):
        socket.create_connection((host, settings.EMAIL_PORT), CONNECT_SECONDS).close()


def _ask_provider() -> None:
    parts = urlsplit(settings.STRIPE_API_BASE or "https://api.stripe.com")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    socket.create_connection((parts.hostname or "", port), CONNECT_SECONDS).close()
