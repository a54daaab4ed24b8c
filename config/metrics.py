"""Figures for Prometheus, added up over all processes of a home: those of the web server, the worker, the scheduler.

Each process writes files of its own and `/metrics` adds them up. They are in PROMETHEUS_MULTIPROC_DIR, or in a folder
for each parent process under the home, so that a new server starts at zero and takes no other one's along. It has to be
known before prometheus_client is first imported, so other modules make their figures with `counter()` and
`histogram()` of this one. Labels are route templates, never paths or people. What waits in the database is counted
when somebody looks.
"""

import hmac
import os
import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from config.api.addresses import client_address
from config.api.envelope import json_response
from config.api.handler import failure
from config.errors import Code

if TYPE_CHECKING:
    from prometheus_client import Counter, Histogram


FOLDERS = settings.OUTLAST_HOME / "run" / "metrics"


def _choose_folder() -> None:
    """Where this server's processes write; folders whose server has gone are removed."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]).mkdir(parents=True, exist_ok=True)
        return
    folder = FOLDERS / str(os.getppid())
    folder.mkdir(parents=True, exist_ok=True)
    for other in FOLDERS.iterdir():
        if other.name.isdigit() and not Path(f"/proc/{other.name}").exists() and Path("/proc").exists():
            shutil.rmtree(other, ignore_errors=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)


_choose_folder()

import prometheus_client as prometheus  # noqa: E402  # reads the folder's name when it is imported
from prometheus_client.core import GaugeMetricFamily, Metric  # noqa: E402
from prometheus_client.multiprocess import MultiProcessCollector  # noqa: E402

REQUESTS = prometheus.Counter("outlast_http_requests", "Answers given.", ["method", "route", "status"])
SECONDS = prometheus.Histogram(
    "outlast_http_request_seconds",
    "Time to answer.",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
WAITING_SQL = """
    SELECT count(*) FILTER (WHERE dead_at IS NULL), count(*) FILTER (WHERE dead_at IS NOT NULL),
        coalesce(extract(epoch FROM clock_timestamp() - min(created_at) FILTER (WHERE dead_at IS NULL)), 0)
    FROM config_outboxmessage WHERE done_at IS NULL
"""
TRIES = 3
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def counter(name: str, meaning: str, labels: Sequence[str] = ()) -> "Counter":
    """A figure that only grows: `outlast_<name>_total`."""
    return prometheus.Counter(f"outlast_{name}", meaning, labels)


def histogram(
    name: str, meaning: str, labels: Sequence[str] = (), buckets: Sequence[float] = prometheus.Histogram.DEFAULT_BUCKETS
) -> "Histogram":
    """A distribution: `outlast_<name>`. What takes minutes needs buckets of its own."""
    return prometheus.Histogram(f"outlast_{name}", meaning, labels, buckets=buckets)


def counted_when_looked(name: str, meaning: str, labels: Sequence[str], sql: str) -> None:
    """A figure that the database knows: `outlast_<name>`. Each row of the query is its labels, and then its value."""
    _counted[name] = (meaning, tuple(labels), sql)


_counted: dict[str, tuple[str, tuple[str, ...], str]] = {}


class MetricsMiddleware:
    """Counts and times every answer under its route template."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        response = self.get_response(request)
        route = request.resolver_match.route if request.resolver_match else "unmatched"
        # A method is the caller's own word: each new one would be a new series.
        method = request.method if request.method in METHODS else "other"
        REQUESTS.labels(method, route, str(response.status_code)).inc()
        SECONDS.labels(method, route).observe(time.perf_counter() - started)
        return response


class Counted:
    """What the processes of this home have written down, of whichever server they are."""

    def collect(self) -> Iterable[Metric]:
        own = Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])
        for _ in range(TRIES):
            files = FOLDERS.glob("*/*.db") if own.parent == FOLDERS else own.glob("*.db")
            # The folder of a server that has gone is removed by another process, perhaps at this moment.
            with suppress(FileNotFoundError):
                merged: Iterable[Metric] = MultiProcessCollector.merge([str(file) for file in files])
                return merged
        return ()


class Waiting:
    """What PostgreSQL knows at this moment."""

    def collect(self) -> Iterable[Metric]:
        try:
            with connection.cursor() as cursor:
                cursor.execute(WAITING_SQL)
                waiting, dead, oldest = cursor.fetchone()
        except DatabaseError:
            # The other figures are wanted most when the database is away.
            return
        yield GaugeMetricFamily("outlast_outbox_waiting", "Messages not done yet.", value=waiting)
        yield GaugeMetricFamily("outlast_outbox_dead", "Messages given up.", value=dead)
        yield GaugeMetricFamily("outlast_outbox_oldest_seconds", "Age of the oldest message.", value=float(oldest))
        for name, (meaning, labels, sql) in _counted.items():
            family = GaugeMetricFamily(f"outlast_{name}", meaning, labels=labels)
            for *of, value in _rows(sql):
                family.add_metric([str(one) for one in of], float(value))
            yield family


def _rows(sql: str) -> list[tuple[Any, ...]]:
    """Nothing where the database is away, or not migrated that far."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql)
            found: list[tuple[Any, ...]] = cursor.fetchall()
            return found
    except DatabaseError:
        return []


@require_safe
def expose(request: HttpRequest) -> HttpResponse:
    """`/metrics`. Open in local and test; elsewhere for the token, for callers on this machine, and for staff."""
    if not _may_see(request):
        return json_response(failure(Code.NOT_FOUND), status=404)
    registry = prometheus.CollectorRegistry()
    registry.register(Counted())
    registry.register(Waiting())
    return HttpResponse(prometheus.generate_latest(registry), content_type=prometheus.CONTENT_TYPE_LATEST)


def _may_see(request: HttpRequest) -> bool:
    if not settings.IS_SERVED or client_address(request) in ("127.0.0.1", "::1"):
        return True
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if settings.METRICS_TOKEN and hmac.compare_digest(given.encode(), settings.METRICS_TOKEN.encode()):
        return True
    return bool(request.user.is_active and request.user.is_staff)
