"""How fast webhooks are answered, fifty a second, through the web server as `up` runs it, while the worker is busy.

Every event is signed, and about a session of its own that the worker has to ask the Stripe double for. What is measured
begins when an event was due to be sent, so that a server which falls behind is not spared what waited meanwhile.
"""

import http.client
import json
import os
import tempfile
import time
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path

from django.conf import settings

from config.local.benches.runs import Meaningless, Runs
from config.local.benches.scale import Pair, Scale
from config.local.benches.sending import ask, send_in_time
from config.local.benches.serving import READY_SECONDS, free_port, percentile, running, wait_for_server, with_path
from config.local.stripe.signing import signature_header
from config.local.supervisor.programs import Program, module, web, worker
from payments.models import WebhookEvent

PER_SECOND = 50
SECONDS, LEAST_SECONDS = 30, 4
WARM_SECONDS = 2
REFERENCE_MS = 50.0
SENDERS = 16
PATH = "/api/v1/webhooks/stripe"
SECRET = "whsec_of_this_benchmark_alone"
KEY = "sk_test_of_this_benchmark_alone"
# Of its own, so that a worker of somebody's `up` is not handed our hints.
BROKER_DATABASE = 15


def answers(runs: Runs, scale: Scale) -> Pair:
    """Milliseconds in which 99 of 100 webhooks are answered, and what they may take."""
    seconds = scale(SECONDS, least=LEAST_SECONDS)
    with runs.databases.fresh() as database, ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="outlast-bench-")))
        double, port = free_port(), free_port()
        environment = _environment(database, f"http://127.0.0.1:{double}", folder)
        for program in (_stripe(double, folder), web("127.0.0.1", port), worker()):
            stack.enter_context(running(program, environment, folder))
        wait_for_server(port)
        _wait_for_worker(port)
        _send(port, "warm", WARM_SECONDS)
        taken = _send(port, "counted", seconds)
        _expect_work(len(taken))
    return Pair(percentile(taken, 99), REFERENCE_MS)


def _send(port: int, name: str, seconds: int) -> list[float]:
    """Send events at their times; milliseconds from due to answered, of each."""

    def post(connection: HTTPConnection, number: int) -> int:
        return _post(connection, f"{name}_{number}")

    sent = send_in_time(port, post, count=PER_SECOND * seconds, per_second=PER_SECOND, senders=SENDERS)
    if set(sent.answered) != {200}:
        raise Meaningless(f"webhooks were answered {dict(sent.answered)}")
    return sent.taken


def _post(connection: HTTPConnection, name: str) -> int:
    body = _event(name)
    return ask(connection, "POST", PATH, body, {"Stripe-Signature": signature_header(body, SECRET, int(time.time()))})


def _event(name: str) -> bytes:
    """About a session that has to be asked for: thin, so that nothing is known of it beforehand."""
    return json.dumps(
        {
            "id": f"evt_{name}",
            "object": "v2.core.event",
            "type": "v1.checkout.session.completed",
            "livemode": False,
            "related_object": {"id": f"cs_test_{name}", "type": "checkout.session"},
        }
    ).encode()


def _expect_work(sent: int) -> None:
    """A worker that did nothing meanwhile was not busy, and a server that stored nothing was not asked."""
    stored = WebhookEvent.objects.filter(event_id__startswith="evt_counted_")
    if stored.count() != sent:
        raise Meaningless(f"{stored.count()} of {sent} webhooks were stored")
    if not stored.exclude(attempts=0).exists():
        raise Meaningless("the worker was idle")


def _stripe(port: int, folder: Path) -> Program:
    keys = {"STRIPE_SECRET_KEY": KEY, "STRIPE_WEBHOOK_SECRETS": SECRET}
    return Program("stripe", module("config.local.stripe", "--port", str(port), "--home", str(folder), "--quiet"), keys)


def _environment(database: str, double: str, folder: Path) -> dict[str, str]:
    """That of this process, but for the database, the broker's queue, and where Stripe is."""
    return {
        **os.environ,
        "DATABASE_URL": with_path(os.environ["DATABASE_URL"], database),
        "CELERY_BROKER_URL": with_path(settings.CELERY_BROKER_URL, str(BROKER_DATABASE)),
        "STRIPE_API_BASE": double,
        "STRIPE_SECRET_KEY": KEY,
        "STRIPE_WEBHOOK_SECRETS": SECRET,
        "PROMETHEUS_MULTIPROC_DIR": str(folder / "metrics"),
        "LOG_LEVEL": "ERROR",
        # The scratch server is held by this process.
        "OUTLAST_SERVICES": "off",
    }


def _wait_for_worker(port: int) -> None:
    """Until it has looked into an event; a hint that it was too late for is not kept, so there are several."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    deadline, number = time.monotonic() + READY_SECONDS, 0
    while not WebhookEvent.objects.exclude(attempts=0).exists():
        if time.monotonic() > deadline:
            raise Meaningless("the worker did not start")
        number += 1
        _post(connection, f"first_{number}")
        time.sleep(1)
    connection.close()
