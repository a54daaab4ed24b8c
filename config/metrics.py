"""Figures for Prometheus, added up over all processes of a home: those of the web server, the worker, the scheduler.

    SAVED = metrics.counter("picks", "What came of asking for a pick.", ["result"])
    SAVED.labels("saved").inc()

Each process writes files of its own, and `/metrics` (`config.scraping`) adds them up. They are in
PROMETHEUS_MULTIPROC_DIR, or in a folder for each parent process under the home. It has to be known before
prometheus_client is first imported, so other modules make their figures with the functions of this one. What processes
that have ended had counted is kept, so that a sum never falls: Prometheus would take that for a restart, and what is
left for new. Labels are route templates, codes and kinds, never paths, ids or people.

What waits in the database is counted when somebody looks: `counted_when_looked()`.
"""

import os
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

if TYPE_CHECKING:
    from prometheus_client import Counter, Gauge, Histogram

FOLDERS = settings.OUTLAST_HOME / "run" / "metrics"


def _choose_folder() -> Path:
    """Where this server's processes write."""
    folder = Path(os.environ.get("PROMETHEUS_MULTIPROC_DIR") or FOLDERS / str(os.getppid()))
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
    return folder


OWN_FOLDER = _choose_folder()
# All that is added up: the servers of this home, or what the setting names.
ROOT = FOLDERS if OWN_FOLDER.parent == FOLDERS else OWN_FOLDER

import prometheus_client as prometheus  # noqa: E402  # reads the folder's name when it is imported

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Figure(NamedTuple):
    """What is counted here, for the list of all figures."""

    kind: str
    meaning: str
    labels: tuple[str, ...]


# By its whole name.
made: dict[str, Figure] = {}


def counter(name: str, meaning: str, labels: Sequence[str] = ()) -> "Counter":
    """A figure that only grows: `outlast_<name>_total`."""
    made[f"outlast_{name}_total"] = Figure("counter", meaning, tuple(labels))
    return prometheus.Counter(f"outlast_{name}", meaning, labels)


def histogram(
    name: str, meaning: str, labels: Sequence[str] = (), buckets: Sequence[float] = prometheus.Histogram.DEFAULT_BUCKETS
) -> "Histogram":
    """A distribution: `outlast_<name>`. What takes minutes needs buckets of its own."""
    made[f"outlast_{name}"] = Figure("histogram", meaning, tuple(labels))
    return prometheus.Histogram(f"outlast_{name}", meaning, labels, buckets=buckets)


def gauge(name: str, meaning: str, labels: Sequence[str] = ()) -> "Gauge":
    """A figure that goes up and down: `outlast_<name>`, the sum over the processes that live."""
    made[f"outlast_{name}"] = Figure("gauge", meaning, tuple(labels))
    return prometheus.Gauge(f"outlast_{name}", meaning, labels, multiprocess_mode="livesum")


def counted_when_looked(name: str, meaning: str, labels: Sequence[str], sql: str) -> None:
    """A figure that the database knows: `outlast_<name>`. Each row of the query is its labels, and then its value.

    Asked with every scrape: it has to answer within a tenth of a second on a big house, and is given up after one
    second. Several modules may add rows to one figure.
    """
    if name in questions and sql not in questions[name][2]:
        sql = f"{questions[name][2]} UNION ALL {sql}"
    questions[name] = (meaning, tuple(labels), sql)
    made[f"outlast_{name}"] = Figure("asked", meaning, tuple(labels))


def overdue(what: str, sql: str) -> None:
    """Rows whose time has come and that nobody has taken up, a minute later: one number, from one query."""
    counted_when_looked(
        "due_rows_overdue",
        "Rows that should have been dealt with a minute ago or longer, by what they are.",
        ["what"],
        f"SELECT '{what}', ({sql})",
    )


questions: dict[str, tuple[str, tuple[str, ...], str]] = {}

REQUESTS = counter("http_requests", "Answers given.", ["method", "route", "status"])
SECONDS = histogram(
    "http_request_seconds",
    "Time to answer.",
    ["method", "route"],
    (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)


class MetricsMiddleware:
    """Counts and times every answer under its route template."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        response = self.get_response(request)
        route = request.resolver_match.route if request.resolver_match else "unmatched"
        count_answer(request.method, route, response.status_code, time.perf_counter() - started)
        return response


def known_method(method: str | None) -> str:
    """A method is the caller's own word: each new one would be a new series."""
    return method if method is not None and method in METHODS else "other"


def count_answer(method: str | None, route: str, status: int, seconds: float) -> None:
    """Count and time an answer under its route template; also for what answers without Django's middleware."""
    answers, durations = _series(known_method(method), route, status)
    answers.inc()
    durations.observe(seconds)


@lru_cache(maxsize=2048)
def _series(method: str, route: str, status: int) -> "tuple[Counter, Histogram]":
    """Found once: to look for them takes longer than to count."""
    return REQUESTS.labels(method, route, str(status)), SECONDS.labels(method, route)
