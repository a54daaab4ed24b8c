"""`/metrics`: what all processes of this home have counted, and what PostgreSQL knows at this moment.

It answers in time whatever is wrong, because that is when it is wanted: the database is asked by a thread of its own
(`config.probing`), each question is given up after a second, all of them after two, and what is not known then is left
out. `outlast_database_up` and `outlast_questions_unanswered` say so.
"""

import fcntl
import hmac
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import prometheus_client as prometheus
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector

from config import metrics
from config.api.addresses import client_address
from config.api.envelope import json_response
from config.api.handler import failure
from config.draining import is_draining
from config.errors import Code
from config.probing import NoAnswer, Prober

QUESTION_MILLISECONDS = 1000
QUESTIONS_SECONDS = 2.0
GONE = "gone"
ADDED_UP = ("counter", "histogram", "summary")

metrics.counted_when_looked(
    "outbox_waiting", "Messages not done yet.", (),
    "SELECT count(*) FROM config_outboxmessage WHERE done_at IS NULL AND dead_at IS NULL",
)  # fmt: skip
metrics.counted_when_looked(
    "outbox_dead", "Messages given up.", (), "SELECT count(*) FROM config_outboxmessage WHERE dead_at IS NOT NULL"
)
metrics.counted_when_looked(
    "outbox_oldest_seconds", "For how long the message has been due that has waited longest.", (),
    """
    SELECT coalesce(extract(epoch FROM clock_timestamp() - min(due_at)), 0) FROM config_outboxmessage
    WHERE done_at IS NULL AND dead_at IS NULL AND due_at <= clock_timestamp()
    """,
)  # fmt: skip

metrics.overdue(
    "outbox",
    "SELECT count(*) FROM config_outboxmessage"
    " WHERE done_at IS NULL AND dead_at IS NULL AND due_at < clock_timestamp() - interval '1 minute'",
)

_prober = Prober("metrics", keeps_connection=False)


class Counted:
    """What the processes of this home have written down, of whichever server they are, also of those that ended."""

    def collect(self) -> Iterable[Metric]:
        """All figures, added up."""
        with _alone():
            _fold()
            files = [str(file) for file in _files() if _is_written(file)]
            merged: Iterable[Metric] = MultiProcessCollector.merge(files)
            return merged


@contextmanager
def _alone() -> Iterator[None]:
    """Nobody else of this machine folds or reads meanwhile, or it would count something twice, or not at all."""
    with (metrics.ROOT / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _files() -> list[Path]:
    return [*metrics.ROOT.glob("*.db"), *metrics.ROOT.glob("*/*.db")]


def _fold() -> None:
    """Add what ended processes counted to what was kept of others, and remove their files and folders."""
    kept: dict[str, MmapedDict] = {}
    for file in _files():
        kind, _, rest = file.stem.partition("_")
        pid = rest.rpartition("_")[2]
        if not pid.isdigit() or _is_alive(pid):
            continue
        if kind in ADDED_UP and _is_written(file):
            if kind not in kept:
                (metrics.ROOT / GONE).mkdir(exist_ok=True)
                kept[kind] = MmapedDict(str(metrics.ROOT / GONE / f"{kind}_{GONE}.db"))
            for key, value, _, _ in MmapedDict.read_all_values_from_file(str(file)):
                kept[kind].write_value(key, kept[kind].read_value(key)[0] + value, 0.0)
        file.unlink()
    for one in kept.values():
        one.close()
    for folder in metrics.ROOT.glob("*/"):
        if folder.name.isdigit() and not _is_alive(folder.name) and not any(folder.iterdir()):
            folder.rmdir()


def _is_written(file: Path) -> bool:
    """Not while it is being made, nor where whoever made it was killed at that moment: such a file cannot be read."""
    return file.stat().st_size > 0


def _is_alive(pid: str) -> bool:
    return Path("/proc", pid).exists() or not Path("/proc").exists()


class Known:
    """What PostgreSQL knows, and whether it does."""

    def collect(self) -> Iterable[Metric]:
        """One figure for each question that was answered."""
        try:
            families, unanswered = _prober.ask(_ask_all, seconds=QUESTIONS_SECONDS)
        except (NoAnswer, DatabaseError):
            families, unanswered = [], len(metrics.questions)
        yield from families
        is_up = unanswered < len(metrics.questions)
        yield GaugeMetricFamily("outlast_database_up", "Whether PostgreSQL answered this scrape.", value=float(is_up))
        yield GaugeMetricFamily(
            "outlast_questions_unanswered", "Figures that PostgreSQL did not give in time.", value=unanswered
        )
        yield GaugeMetricFamily("outlast_draining", "Whether this server is about to end.", value=float(is_draining()))


def _ask_all() -> tuple[list[Metric], int]:
    """In the thread of the prober. The first question that finds nobody there is the last."""
    families: list[Metric] = []
    until = time.monotonic() + QUESTIONS_SECONDS
    connection.ensure_connection()
    for name, (meaning, labels, sql) in metrics.questions.items():
        if time.monotonic() > until:
            break
        try:
            rows = _rows(sql)
        except DatabaseError:
            if not connection.is_usable():
                raise
            # Not migrated that far, or too slow: the other figures are wanted all the same.
            continue
        family = GaugeMetricFamily(f"outlast_{name}", meaning, labels=labels)
        for *of, value in rows:
            family.add_metric([str(one) for one in of], float(value))
        families.append(family)
    return families, len(metrics.questions) - len(families)


def _rows(sql: str) -> list[tuple[Any, ...]]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL statement_timeout = {QUESTION_MILLISECONDS}")
        cursor.execute(sql)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


@require_safe
def expose(request: HttpRequest) -> HttpResponse:
    """`/metrics`. Open in local and test; elsewhere for the token, for callers on this machine, and for staff."""
    if not _may_see(request):
        return json_response(failure(Code.NOT_FOUND), status=404)
    return HttpResponse(exposed(), content_type=prometheus.CONTENT_TYPE_LATEST)


def exposed() -> bytes:
    """All figures, as Prometheus reads them."""
    registry = prometheus.CollectorRegistry()
    registry.register(Counted())
    registry.register(Known())
    return prometheus.generate_latest(registry)


def _may_see(request: HttpRequest) -> bool:
    if not settings.IS_SERVED or client_address(request) in ("127.0.0.1", "::1"):
        return True
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if settings.METRICS_TOKEN and hmac.compare_digest(given.encode(), settings.METRICS_TOKEN.encode()):
        return True
    return bool(request.user.is_active and request.user.is_staff)
