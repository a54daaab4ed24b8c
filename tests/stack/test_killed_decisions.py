"""A bulk approval whose worker is killed with -9 half-way: the done ones are done, the rest untouched, and it ends.

The worker does what a worker of `manage.py up` does with the outbox, in a process of its own. A run says its seed;
`OUTLAST_KILL_SEED` runs it again.
"""

import os
import random
import time

import pytest

from config.clock import ClockTimestamp
from config.models import OutboxMessage
from entries.models import Request, RequestChange
from entries.services.bulk_decisions import run_bulk_decision, start_bulk_decision
from tests.factories.accounts import ModeratorFactory
from tests.factories.entries import RequestFactory
from tests.factories.pools import PoolFactory
from tests.support.children import Child

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

REQUESTS, PLACES = 400, 390
LEAST_KILLS = 3
SEED = int(os.environ.get("OUTLAST_KILL_SEED") or random.SystemRandom().randrange(10**9))
WORKER = """
import time
from config import outbox
while True:
    if not outbox.drain(limit=1):
        time.sleep(0.01)
"""


def lease_ends():
    """As if three minutes had gone by since the kill. Mails wait: they are not what is killed here."""
    OutboxMessage.objects.filter(done_at__isnull=True, kind="bulk_decision.run").update(
        due_at=ClockTimestamp(), attempts=0
    )
    OutboxMessage.objects.filter(kind__startswith="mail.").update(done_at=ClockTimestamp())


def expect_whole(bulk):
    """Whoever has a result has what it says, once; whoever has none is as before."""
    by_outcome = {name: set() for name in ("done", "refused", "waiting")}
    for pk, outcome in bulk.items.values_list("request_id", "outcome"):
        by_outcome[outcome].add(pk)
    assert set(Request.objects.filter(status="approved").values_list("pk", flat=True)) == by_outcome["done"]
    told = list(RequestChange.objects.filter(to_status="approved").values_list("subject_id", flat=True))
    assert sorted(told) == sorted(by_outcome["done"])
    untouched = Request.objects.filter(pk__in=by_outcome["waiting"], status="pending", decided_by=None, pay_by=None)
    assert untouched.count() == len(by_outcome["waiting"])
    mails = OutboxMessage.objects.filter(kind="mail.request_approved")
    assert mails.count() == len(by_outcome["done"])
    return by_outcome


def test_a_bulk_approval_survives_every_kill(settings):
    print(f"OUTLAST_KILL_SEED={SEED}")
    dice = random.Random(SEED)
    pool = PoolFactory(capacity=PLACES)
    ids = [RequestFactory(pool=pool).pk for _ in range(REQUESTS)]
    bulk = start_bulk_decision(kind="approve", request_ids=ids, by=ModeratorFactory())

    met = 0
    while met < LEAST_KILLS:
        before = bulk.items.filter(outcome="done").count()
        wanted = before + dice.randrange(10, REQUESTS // (2 * LEAST_KILLS))
        lease_ends()
        with Child(WORKER, settings) as child:
            deadline = time.monotonic() + 60
            while bulk.items.exclude(outcome="waiting").count() < wanted:
                assert not child.has_ended
                assert time.monotonic() < deadline
                time.sleep(0.002)
        found = expect_whole(bulk)
        assert found["waiting"], "killed too late"
        met += 1

    lease_ends()
    with Child(WORKER, settings):
        deadline = time.monotonic() + 120
        while bulk.status == "running" and time.monotonic() < deadline:
            time.sleep(0.05)
            bulk.refresh_from_db()
    found = expect_whole(bulk)
    assert (bulk.status, len(found["done"]), len(found["refused"])) == ("done", PLACES, REQUESTS - PLACES)
    assert found["done"] == set(ids[:PLACES])
    assert run_bulk_decision(bulk_id=bulk.pk)
    expect_whole(bulk)
