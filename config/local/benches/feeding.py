"""How long a run takes from the provider's first page to its own end: 100,000 movements at the Stripe double.

Each comes with the charge that it is a movement of, so it is two objects. All but fifty of them are here as well; those
fifty are found, asked for one by one, and booked, within the time that is measured.
"""

import http.client
import json
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction

from config.clock import database_now
from config.local import home
from config.local.benches.provider_days import plant
from config.local.benches.reconciling import MEGABYTES, fill_ours
from config.local.benches.runs import Meaningless, Runs
from config.local.benches.scale import Pair, Scale
from config.local.benches.serving import READY_SECONDS, free_port, running
from config.local.benches.webhooks import _environment, _stripe
from config.local.supervisor.programs import module
from payments.models import Movement, ReconciliationRun, RunStatus

MOVEMENTS = 100_000
REFERENCE_SECONDS = 90.0
APART = timedelta(seconds=0.7)
LATEST = timedelta(minutes=20)
MISSING = 50

# What is missing here: the movement, its booking, and that its fee is known.
LOSE = """
    DELETE FROM payments_posting l USING payments_journalentry j, payments_movement m
    WHERE l.journal_entry_id = j.id AND (j.source_type, j.source_id) = ('movement', 'stripe:' || m.reference)
        AND m.id %% %(every)s = 0;
    DELETE FROM payments_journalentry j USING payments_movement m
    WHERE (j.source_type, j.source_id) = ('movement', 'stripe:' || m.reference) AND m.id %% %(every)s = 0;
    UPDATE payments_receipt t SET is_fee_known = false FROM payments_movement m
    WHERE m.receipt_id = t.id AND m.id %% %(every)s = 0;
    DELETE FROM payments_movement WHERE id %% %(every)s = 0
"""


def seconds(runs: Runs, scale: Scale) -> Pair:
    """Seconds of a whole run, and what it may take for as many."""
    count = scale(MOVEMENTS, least=2_000)
    taken, _ = _measured(runs, count)
    return Pair(taken, REFERENCE_SECONDS * count / MOVEMENTS)


def memory(runs: Runs, scale: Scale) -> Pair:
    """The most that the process held meanwhile, and what it may hold, in megabytes."""
    _, peak = _measured(runs, scale(MOVEMENTS, least=2_000))
    return Pair(peak, MEGABYTES)


# Both bars are about the same run; it is made once.
_done: dict[int, tuple[float, float]] = {}


def _measured(runs: Runs, count: int) -> tuple[float, float]:
    if count not in _done:
        first = database_now() - LATEST - count * APART
        with runs.databases.empty("feeding", fill=lambda: fill_ours(count, first=first, apart=APART)):
            _lose(count // MISSING)
            with _provider(count, first) as environment:
                _done[count] = _run(count, environment)
    return _done[count]


def _run(count: int, environment: dict[str, str]) -> tuple[float, float]:
    """In a process of its own: what this one holds by now says nothing."""
    said = subprocess.run(
        module("config.local.benches.feed_run"), env=environment, cwd=home.ROOT, stdout=subprocess.PIPE, check=True
    )
    told = json.loads(said.stdout)
    _check(ReconciliationRun.objects.get(pk=told["run"]), count)
    return told["seconds"], told["megabytes"]


def _check(run: ReconciliationRun, count: int) -> None:
    """A run that did not end, or healed nothing, would be quick."""
    if run.status != RunStatus.FINISHED:
        raise Meaningless(f"the run did not end: {run.error}")
    known = Movement.objects.count()
    if (run.staged, known, run.found, run.healed) != (count, count, {}, {"fee_missing": MISSING}):
        raise Meaningless(f"{run.staged} were read, {known} are known, {run.found} found, {run.healed} healed")


@transaction.atomic
def _lose(every: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(LOSE, {"every": every})


@contextmanager
def _provider(count: int, first: datetime) -> Iterator[dict[str, str]]:
    """A double with as many movements; the environment of a process that takes it for Stripe."""
    with tempfile.TemporaryDirectory(prefix="outlast-bench-") as name:
        folder, port = Path(name), free_port()
        plant(folder, count=count, first=first, seconds=APART.total_seconds(), env=settings.OUTLAST_ENV)
        database = str(connection.settings_dict["NAME"])
        environment = {
            **_environment(database, f"http://127.0.0.1:{port}", folder),
            "OUTLAST_PROCESS": "worker",
            "PAYMENT_PROVIDER": "stripe",
        }
        with running(_stripe(port, folder), environment, folder):
            _wait_for(port)
            yield environment


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        asked = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        try:
            asked.request("GET", "/_double/health")
            if asked.getresponse().status == 200:
                return
        except (OSError, http.client.HTTPException):
            time.sleep(0.1)
        finally:
            asked.close()
    raise Meaningless("the Stripe double did not start")
