"""A cancellation of 300 places whose worker is killed with -9 again and again: every fee goes back once, and no more.

The worker does what a worker of `manage.py up` does with the outbox, in a process of its own; Stripe is the double. A
run says its seed; `OUTLAST_KILL_SEED` runs it again.
"""

import os
import random
import time
from datetime import timedelta

import pytest

from config.clock import ClockTimestamp
from config.models import OutboxMessage
from entries.models import Entry, EntryChange, Request
from payments.ledger.balances import trial_balance
from payments.models import Receipt, Refund
from payments.services.charge_state import apply_charge_state
from payments.services.pots import pot_of
from payments.services.provider_state import Source
from payments.services.refunds.sending import sweep_refunds
from tests.factories.entries import RequestFactory
from tests.factories.pools import PoolFactory
from tests.payments.conftest import double, double_process
from tests.support.cancelling import cancelled, carried_out
from tests.support.children import Child
from tests.support.payments import paid_through

__all__ = ["double", "double_process"]
pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

PLACES = 300
KILLS = 15
PATIENCE = 180.0
SEED = int(os.environ.get("OUTLAST_KILL_SEED") or random.SystemRandom().randrange(10**9))
WORKER = """
import time
from config import outbox
while True:
    if not outbox.drain():
        time.sleep(0.05)
"""


def leases_end():
    """As if three minutes had gone by since the kill."""
    OutboxMessage.objects.filter(done_at__isnull=True, dead_at__isnull=True).update(due_at=ClockTimestamp(), attempts=0)


def is_at_work(pool):
    """Whether a kill can still meet it: places are left, or refunds that were not sent."""
    left = Request.objects.filter(pool=pool, payment_status="completed").exists()
    return left or Refund.objects.filter(status="sending").exists()


def test_a_cancellation_survives_every_kill(api, double, settings):
    print(f"OUTLAST_KILL_SEED={SEED}")
    dice = random.Random(SEED)
    pool = PoolFactory(rules={"house_fee_bp": 700})
    entries = [paid_through(api, double, RequestFactory(approved=True, pool=pool)) for _ in range(PLACES)]
    cancellation = cancelled(pool)

    met = 0
    for _ in range(KILLS):
        if not is_at_work(pool):
            break
        leases_end()
        with Child(WORKER, settings):
            time.sleep(dice.uniform(0.05, 3.0))
            met += is_at_work(pool)
    assert met >= 5, f"only {met} kills met it"
    until = time.monotonic() + PATIENCE
    while cancellation.status != "done" and time.monotonic() < until:
        # An answer of the provider that came too late is looked up again, as the sweeps do every two minutes, and what
        # never reached it is sent again.
        leases_end()
        sweep_refunds(patience=timedelta())
        for receipt in Receipt.objects.exclude(status="returned").values_list("pk", flat=True):
            apply_charge_state(receipt_id=receipt, source=Source.SWEEP)
        carried_out(cancellation, walks=60)

    assert (cancellation.status, pot_of(pool)) == ("done", 0)
    assert list(Refund.objects.values_list("status", "amount_cents")) == [("succeeded", 5000)] * PLACES
    assert Refund.objects.values("receipt").distinct().count() == PLACES
    assert Entry.objects.filter(status="void").count() == PLACES
    told = EntryChange.objects.filter(to_status="void", subject_id__in=[entry.pk for entry in entries])
    assert told.count() == PLACES
    there = double.state()["objects"]["refund"]
    assert (len(there), {refund["amount"] for refund in there}) == (PLACES, {5000})
    balance = trial_balance(livemode=False)
    assert set(balance.proof.values()) == {0}
    of_players = ("unallocated", "refund_payable", "prize_pot", "fee_revenue")
    assert {row.balance for row in balance.rows if row.kind in of_players} == {0}
    assert not OutboxMessage.objects.filter(dead_at__isnull=False).exists()
