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
from urllib.parse import urlencode

from django.apps import apps
from django.conf import settings
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from config.api.pagination import position_of, sign_position
from config.clock import database_now
from config.local.benches.bigpools import tidy
from config.local.benches.reading import settled
from config.local.benches.reconciling import fill_ours
from config.local.benches.runs import Meaningless, Runs
from config.local.benches.scale import Pair, Scale
from pools.models import Pool

ROWS, FEW = 1_000_000, 1000
TURNS, COUNTED = 5, 3
MOST_QUERIES_OF_HOME, MOST_QUERIES_OF_A_LIST, MOST_QUERIES_OF_A_ROOM = 9, 14, 16
STATEMENT_MS = 50
HOME = "/admin/"
# Each list, which shows the newest first, and what finds one row of it: {n} is a number that the newest third has.
LISTS = {
    "accounts/user": "Player {n}",
    "entries/request": "Player {n}",
    "entries/entry": "p{n}@bench",
    "payments/entrymoney": "p{n}@bench",
    "payments/payment": "cs_bench_{n}",
    "payments/receipt": "ch_bench_{n}",
    "payments/movement": "txn_bench_{n}",
    "payments/journalentry": "stripe:ch_bench_{n}",
    "payments/webhookevent": "evt_{n}",
    "config/outboxmessage": '"key {n}"',
}
# What finds more than a page has, in a house of any size.
EVERYBODY = {"accounts/user": "Player", "entries/request": "Player", "entries/entry": "p bench"}
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
    return _by_size(runs, scale, lambda rows: [_address(name) for name in LISTS])


def search(runs: Runs, scale: Scale) -> Pair:
    """The same of a page that finds one player or one reference, or all players: as many rows in either house."""
    return _by_size(runs, scale, _searches)


def depth(runs: Runs, scale: Scale) -> Pair:
    """Milliseconds nine tenths down a list of a million rows and of its first page, where the two differ most."""
    deep, first = _Times(), _Times()
    with _house(runs, scale(ROWS, least=FEW)) as browser:
        for _ in range(TURNS):
            deep.take(browser, [_address(name, after=_nine_tenths_down(name)) for name in LISTS])
            first.take(browser, [_address(name) for name in LISTS])
    return _worst(deep, first)


def room(runs: Runs, scale: Scale) -> Pair:
    """Milliseconds of the room of a round that is over, in a pool of a million entries and of a thousand."""
    big: list[float] = []
    small: list[float] = []
    for _ in range(TURNS):
        for rows, found in ((scale(ROWS, least=FEW), big), (FEW, small)):
            with runs.databases.copy_of(settled(f"room_{rows}", rows)):
                browser = _browser_of(User.objects.create_superuser("admin@bench.invalid", "-"))
                address = f"{HOME}entries/entry/rooms/{Pool.objects.get().pk}/1/"
                _asked(browser, address, MOST_QUERIES_OF_A_ROOM)
                for _ in range(COUNTED):
                    began = time.perf_counter()
                    _get(browser, address)
                    found.append(1000 * (time.perf_counter() - began))
    return Pair(statistics.median(big), statistics.median(small))


def _by_size(runs: Runs, scale: Scale, addresses: Callable[[int], list[str]]) -> Pair:
    """In turns, so that what slows the machine down slows down both."""
    big, small = _Times(), _Times()
    for _ in range(TURNS):
        for rows, times in ((scale(ROWS, least=FEW), big), (FEW, small)):
            with _house(runs, rows) as browser:
                times.take(browser, addresses(rows))
    return _worst(big, small)


def _searches(rows: int) -> list[str]:
    one = {name: text.format(n=rows - rows // 5) for name, text in LISTS.items()}
    return [_address(name, q=text) for name, text in [*one.items(), *EVERYBODY.items()]]


def _address(name: str, **asked: str) -> str:
    return f"/admin/{name}/?{urlencode(asked)}"


class _Times:
    """Milliseconds of pages, page by page."""

    def __init__(self) -> None:
        self.pages: list[list[float]] = []

    def take(self, browser: Client, addresses: list[str]) -> None:
        """Look at each a few times; refuses pages that ask too often."""
        self.pages = self.pages or [[] for _ in addresses]
        for address, times in zip(addresses, self.pages, strict=True):
            _asked(browser, address, MOST_QUERIES_OF_A_LIST)
            for _ in range(COUNTED):
                began = time.perf_counter()
                _get(browser, address)
                times.append(1000 * (time.perf_counter() - began))


def _worst(measured: _Times, reference: _Times) -> Pair:
    pairs = [
        Pair(statistics.median(ours), statistics.median(theirs))
        for ours, theirs in zip(measured.pages, reference.pages, strict=True)
    ]
    return max(pairs, key=lambda pair: pair.measured / pair.reference)


def _nine_tenths_down(name: str) -> str:
    """The place of the row that nine tenths of the others come before."""
    model: Any = apps.get_model(name.replace("/", "."))
    row = model._default_manager.order_by("pk")[model._default_manager.count() // 10]
    return sign_position((model._meta.label,), position_of(row, ["id"]))


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
    cl = (getattr(answer, "context_data", None) or {}).get("cl")
    if cl is not None and not len(cl.result_list):
        raise Meaningless(f"{address} found nothing")


@contextmanager
def _house(runs: Runs, rows: int) -> Iterator[Client]:
    """A browser of an admin's at a house of this size."""
    with runs.databases.empty(f"office_{rows}", lambda: _fill(rows)):
        yield _browser_of(User.objects.get(role="admin"))


def _browser_of(person: User) -> Client:
    browser = Client()
    browser.force_login(person)
    return browser


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
