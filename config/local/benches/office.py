"""What pages of the back office cost over a big house: the first one, and ten lists, against the same in a small house.

A million places, each with its player, its request, its payment, its receipt and its movement, and as many lines of the
journal, of the audit, of the outbox and of the webhooks that came.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from config.api.pagination import position_of, sign_position
from config.clock import database_now
from config.local.benches.bigpools import tidy
from config.local.benches.reconciling import fill_ours
from config.local.benches.runs import Meaningless, Runs
from config.local.benches.scale import Pair, Scale

ROWS, FEW = 1_000_000, 1000
TURNS, COUNTED = 5, 3
MOST_QUERIES_OF_HOME, MOST_QUERIES_OF_A_LIST = 9, 14
STATEMENT_MS = 50
HOME = "/admin/"
# Each list, which shows the newest first, and what is searched for in it.
LISTS = {
    "accounts/user": "Player 777",
    "entries/request": "Player 777",
    "entries/entry": "p777@bench",
    "payments/entrymoney": "p777@bench",
    "payments/payment": "cs_bench_777",
    "payments/receipt": "ch_bench_777",
    "payments/movement": "txn_bench_777",
    "payments/journalentry": "stripe:ch_bench_777",
    "payments/webhookevent": "evt_777",
    "config/outboxmessage": "key 777",
}
OUTBOX = """
    INSERT INTO config_outboxmessage (kind, key, payload, request_id, traceparent, attempts, last_error, done_at)
    SELECT 'kind ' || n %% 20, 'key ' || n, '{}', '', '', 1, '', now() FROM generate_series(1, %(rows)s) n
"""
EVENTS = """
    INSERT INTO payments_webhookevent (provider, event_id, snapshot_event_id, event_type, object_id, livemode, payload,
        status, ignored_because, error, deliveries, attempts, received_at, due_at)
    SELECT 'stripe', 'evt_' || n, '', 'checkout.session.completed', 'cs_bench_' || n, false, '{}', 'processed', '', '',
           1, 1, now(), now() FROM generate_series(1, %(rows)s) n
"""
# Requests that wait, and some that lose their place soon: what home counts.
WAITING = """
    UPDATE entries_request SET status = 'pending', payment_status = 'not_due' WHERE id % 500 = 0;
    UPDATE entries_request SET payment_status = 'pending', pay_by = now() + interval '2 hours' WHERE id % 500 = 1
"""


def home(runs: Runs, scale: Scale) -> Pair:
    """Milliseconds of the slowest statement of the first page, and what it may take."""
    with _house(runs, scale(ROWS, least=FEW)) as browser:
        slowest = []
        for _ in range(TURNS * COUNTED):
            queries = _asked(browser, HOME, MOST_QUERIES_OF_HOME)
            slowest.append(max(1000 * float(query["time"]) for query in queries))
    return Pair(statistics.median(slowest), STATEMENT_MS)


def lists(runs: Runs, scale: Scale) -> Pair:
    """Milliseconds of the first page of a list at a million rows and at a thousand, where the two differ most."""
    return _worst(_by_size(runs, scale, lambda name: ""))


def search(runs: Runs, scale: Scale) -> Pair:
    """The same of the page that finds one player or one reference."""
    return _worst(_by_size(runs, scale, lambda name: f"?q={LISTS[name]}"))


def depth(runs: Runs, scale: Scale) -> Pair:
    """Milliseconds nine tenths down a list of a million rows and of its first page, where the two differ most."""
    deep, first = _nothing_yet(), _nothing_yet()
    with _house(runs, scale(ROWS, least=FEW)) as browser:
        for _ in range(TURNS):
            _take(browser, _nine_tenths_down, deep)
            _take(browser, lambda name: "", first)
    return _worst({name: Pair(statistics.median(deep[name]), statistics.median(first[name])) for name in LISTS})


def _by_size(runs: Runs, scale: Scale, query: Callable[[str], str]) -> dict[str, Pair]:
    """In turns, so that what slows the machine down slows down both."""
    big, small = _nothing_yet(), _nothing_yet()
    for _ in range(TURNS):
        for rows, found in ((scale(ROWS, least=FEW), big), (FEW, small)):
            with _house(runs, rows) as browser:
                _take(browser, query, found)
    return {name: Pair(statistics.median(big[name]), statistics.median(small[name])) for name in LISTS}


def _worst(pairs: dict[str, Pair]) -> Pair:
    return max(pairs.values(), key=lambda pair: pair.measured / pair.reference)


def _take(browser: Client, query: Callable[[str], str], found: dict[str, list[float]]) -> None:
    """A few times each list's page, added by its name; refuses pages that ask too often."""
    for name in LISTS:
        address = f"/admin/{name}/{query(name)}"
        _asked(browser, address, MOST_QUERIES_OF_A_LIST)
        for _ in range(COUNTED):
            began = time.perf_counter()
            _get(browser, address)
            found[name].append(1000 * (time.perf_counter() - began))


def _nothing_yet() -> dict[str, list[float]]:
    return {name: [] for name in LISTS}


def _nine_tenths_down(name: str) -> str:
    """The page after the row that nine tenths of the others come before."""
    model: Any = apps.get_model(name.replace("/", "."))
    row = model._default_manager.order_by("pk")[model._default_manager.count() // 10]
    return f"?after={sign_position((model._meta.label,), position_of(row, ['id']))}"


def _asked(browser: Client, address: str, most: int) -> list[dict[str, Any]]:
    with CaptureQueriesContext(connection) as queries:
        _get(browser, address)
    if len(queries) > most:
        raise Meaningless(f"a page takes {len(queries)} queries")
    return list(queries)


def _get(browser: Client, address: str) -> None:
    answer = browser.get(address, headers={"host": settings.ALLOWED_HOSTS[0].lstrip(".*") or "localhost"})
    if answer.status_code != 200:
        raise Meaningless(f"{address} answered {answer.status_code}")
    cl = (answer.context or {}).get("cl")
    if cl is not None and not len(cl.result_list):
        raise Meaningless(f"{address} found nothing")


@contextmanager
def _house(runs: Runs, rows: int) -> Iterator[Client]:
    """A browser of an admin's at a house of this size."""
    with runs.databases.empty(f"office_{rows}", lambda: _fill(rows)):
        browser = Client()
        browser.force_login(User.objects.get(role="admin"))
        yield browser


def _fill(rows: int) -> None:
    now, apart = database_now(), timedelta(days=60) / rows
    fill_ours(rows, first=now - apart * rows, apart=apart, booked=max(rows // 3, 1000))
    User.objects.create_superuser("admin@bench.invalid", "-")
    with connection.cursor() as cursor, transaction.atomic():
        cursor.execute("SET LOCAL session_replication_role = replica")
        for statement in (OUTBOX, EVENTS):
            cursor.execute(statement, {"rows": rows})
        cursor.execute(WAITING)
    tidy()
