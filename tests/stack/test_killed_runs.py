"""A reconciliation whose process is killed with -9 wherever it is: the next goes on, and nothing is booked twice."""

import time

import pytest

from config.clock import database_now
from payments.ledger.balances import trial_balance
from payments.models import Discrepancy, FeedCursor, Movement, Receipt, ReconciliationRun
from payments.reconciliation import differences
from payments.reconciliation.feed import run_feed
from payments.services.checkout import start_payment
from tests.factories.entries import RequestFactory
from tests.payments.conftest import double, double_process
from tests.support.children import Child
from tests.support.reconciling import AHEAD, finished
from tests.support.running import wait_for

__all__ = ["double", "double_process"]
pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

PAYMENTS = 20
HEALED_BY_KILLED = 4
# Until nobody else has the lock: that of a killed process goes with its connection.
RUN = f"""
import time
from datetime import timedelta
from config.clock import database_now
from payments.reconciliation import differences
from payments.reconciliation.feed import run_feed
ahead = timedelta(seconds={AHEAD.total_seconds()})
differences.GRACE = -ahead
while run_feed(until=database_now() + ahead) is None:
    time.sleep(0.05)
"""


def killed_once_it_goes_on(count, settings):
    """Run it until there is more than before, and no further."""
    before, deadline = count(), time.monotonic() + 60
    with Child(RUN, settings) as child:
        while count() == before:
            assert not child.has_ended
            assert time.monotonic() < deadline
            time.sleep(0.002)
    assert ReconciliationRun.objects.get().status == "running"


def test_a_run_survives_every_kill(double, settings, monkeypatch):
    monkeypatch.setattr(differences, "GRACE", -AHEAD)
    for _ in range(PAYMENTS):
        request = RequestFactory(approved=True)
        double.pay(start_payment(request_id=request.pk, user=request.user).checkout_url)

    killed_once_it_goes_on(ReconciliationRun.objects.count, settings)
    for _ in range(HEALED_BY_KILLED):
        killed_once_it_goes_on(Receipt.objects.count, settings)
    assert not FeedCursor.objects.exists()
    run = finished(wait_for(lambda: run_feed(until=database_now() + AHEAD), seconds=30))

    assert (run.resumed, run.found, run.stopped_healing) == (HEALED_BY_KILLED + 1, {}, {})
    charged = double.books()["charges"]
    assert sorted(Receipt.objects.values_list("charge_id", "status", "is_fee_known")) == sorted(
        (one["id"], "allocated", True) for one in charged
    )
    assert Movement.objects.count() == len(charged) == PAYMENTS
    usd = run.totals["usd"]
    assert [usd[what]["ours"] for what in usd] == [usd[what]["theirs"] for what in usd]
    assert set(trial_balance(livemode=False).proof.values()) == {0}
    assert set(Discrepancy.objects.values_list("status", flat=True)) == {"resolved"}
