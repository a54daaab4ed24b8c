"""Deliveries to subscribers whose worker is killed with -9 again and again: every event arrives, and the log is true.

The worker does what a worker of `manage.py up` does with them, in a process of its own; the subscriber is a real server
that takes its time. A run says its seed; `OUTLAST_KILL_SEED` runs it again.
"""

import os
import random
import time
from collections import Counter

import pytest

from accounts.models import WebhookAttempt, WebhookDelivery
from config.clock import ClockTimestamp
from tests.factories.accounts import UserFactory
from tests.support.bad_server import BadServer, drip
from tests.support.children import Child
from tests.support.running import wait_for
from tests.support.subscribing import is_signed, post, subscribed

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

SUBSCRIBERS, EVENTS = 6, 30
KILLS = 6
PATIENCE = 60.0
SEED = int(os.environ.get("OUTLAST_KILL_SEED") or random.SystemRandom().randrange(10**9))
INTERRUPTED = "interrupted: it may have arrived"
WORKER = """
import time
from accounts.services.webhooks.sending import deliver_due
while True:
    if not deliver_due():
        time.sleep(0.05)
"""


def leases_end():
    """As if a minute had gone by since the kill; how many were under way."""
    left = WebhookDelivery.objects.filter(status="pending", leased_until__isnull=False)
    return left.update(leased_until=ClockTimestamp(), due_at=ClockTimestamp())


def test_every_delivery_survives_every_kill(settings):
    print(f"OUTLAST_KILL_SEED={SEED}")
    dice = random.Random(SEED)
    with BadServer() as server:
        secrets = {}
        for _ in range(SUBSCRIBERS):
            endpoint = subscribed(UserFactory(), server)
            secrets |= {post(endpoint, number).event_id: endpoint.secret for number in range(EVENTS)}
        # A fifth of a second and more.
        server.does(drip(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n", every=0.005))

        met = 0
        for _ in range(KILLS):
            begun = len(server.asked)
            with Child(WORKER, settings):
                wait_for(lambda begun=begun: len(server.asked) > begun, seconds=PATIENCE)
                time.sleep(dice.uniform(0.0, 0.4))
            met += leases_end() > 0
        assert met >= 3, f"only {met} kills met one under way"
        with Child(WORKER, settings):
            wait_for(lambda: not WebhookDelivery.objects.filter(status="pending").exists(), seconds=PATIENCE)

    assert set(WebhookDelivery.objects.values_list("status", flat=True)) == {"delivered"}
    arrived = Counter(asked.headers["webhook-id"] for asked in server.asked)
    assert set(arrived) == set(secrets)
    assert all(is_signed(asked, secrets[asked.headers["webhook-id"]]) for asked in server.asked)
    # Written down once for each, and twice sent only what the log says may have arrived before.
    answered = WebhookAttempt.objects.filter(status_code=204).values_list("delivery__event_id", flat=True)
    assert Counter(answered) == Counter(secrets.keys())
    interrupted = Counter(WebhookAttempt.objects.filter(error=INTERRUPTED).values_list("delivery__event_id", flat=True))
    assert interrupted
    assert all(times - 1 <= interrupted[event] for event, times in arrived.items())
    assert WebhookAttempt.objects.count() == answered.count() + interrupted.total()
