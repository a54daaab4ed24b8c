"""Raw SQL against what subscribers were told, and what is forgotten when it is old."""

from datetime import timedelta

import pytest
from django.db import connection

from accounts.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from accounts.services.webhooks.keeping import KEPT, forget_old_deliveries
from accounts.services.webhooks.sending import deliver_due
from config.clock import database_now
from tests.support.attacks import attack
from tests.support.subscribing import post

LOG, QUEUE = "accounts_webhookattempt", "accounts_webhookdelivery"


@pytest.fixture
def sent(endpoint):
    delivery = post(endpoint)
    deliver_due()
    return delivery


@pytest.mark.parametrize(
    ("statement", "guard"),
    [
        (f"UPDATE {LOG} SET status_code = 200", "never_changed"),
        (f"UPDATE {LOG} SET response = ''", "never_changed"),
        (f"DELETE FROM {LOG}", "kept_for_a_while"),
        (f"TRUNCATE {LOG}", "never_truncated"),
        (f"DELETE FROM {QUEUE}", "kept_for_a_while"),
        (f"TRUNCATE {QUEUE} CASCADE", "never_truncated"),
        (f"UPDATE {QUEUE} SET data = '{{}}'", "webhook_delivery_fixed"),
        (f"UPDATE {QUEUE} SET event_id = 'evt_other'", "webhook_delivery_fixed"),
        (f"UPDATE {QUEUE} SET type = 'entry.won'", "webhook_delivery_fixed"),
        (f"UPDATE {QUEUE} SET created_at = created_at - interval '40 days'", "webhook_delivery_fixed"),
        (f"UPDATE {QUEUE} SET status = 'failed'", "status_map"),
        (f"UPDATE {QUEUE} SET status = 'zz'", "status_map"),
        (f"UPDATE {QUEUE} SET ended_at = NULL", "webhook_delivery_ended_is_free"),
        pytest.param(
            f"INSERT INTO {QUEUE} (endpoint_id, event_id, type, data, status) SELECT endpoint_id, event_id, type, data,"
            f" 'pending' FROM {QUEUE}",
            "webhook_delivery_once",
        ),
        ("UPDATE accounts_webhookendpoint SET secret = 'whsec_plain'", "webhook_endpoint_removed_keeps_nothing"),
        ("UPDATE accounts_webhookendpoint SET removed_at = now()", "webhook_endpoint_removed_keeps_nothing"),
        ("UPDATE accounts_webhookendpoint SET events = '{}'", "webhook_endpoint_has_events"),
        ("UPDATE accounts_webhookendpoint SET covers = 'any'", "webhook_endpoint_covers_known"),
    ],
)
def test_the_database_refuses(sent, statement, guard):
    # What foreign keys still wait for would refuse to empty the table before any guard does.
    connection.check_constraints()

    found = attack(statement)
    # The encrypted column has a check of its own, which has no name of ours.
    assert found == guard or ("whsec_plain" in statement and "secret" in found)


def test_what_is_old_goes_with_its_attempts_and_its_removed_endpoint(endpoint):
    old = database_now() - KEPT - timedelta(days=1)
    gone = WebhookDelivery.objects.create(
        endpoint=endpoint, event_id="evt_old", type="pool.ended", data={}, status="failed", created_at=old, ended_at=old
    )
    WebhookAttempt.objects.create(delivery=gone, cause="event", at=old, duration_ms=1, status_code=500)
    young = post(endpoint)
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(
        removed_at=old, url="", secret=None, previous_secret=None, previous_secret_until=None
    )

    assert forget_old_deliveries(now=database_now()) == 1
    assert list(WebhookDelivery.objects.all()) == [young]
    assert WebhookEndpoint.objects.exists()


def test_what_was_replayed_lately_stays(endpoint):
    old = database_now() - KEPT - timedelta(days=1)
    replayed = WebhookDelivery.objects.create(
        endpoint=endpoint, event_id="evt_old", type="pool.ended", data={}, status="failed", created_at=old, ended_at=old
    )
    WebhookAttempt.objects.create(delivery=replayed, cause="replay", duration_ms=1, status_code=500)

    assert forget_old_deliveries(now=database_now()) == 0


def test_a_removed_endpoint_goes_when_nothing_of_it_is_left(endpoint):
    old = database_now() - KEPT - timedelta(days=1)
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(removed_at=old, url="", secret=None)

    assert forget_old_deliveries(now=database_now()) == 0
    assert not WebhookEndpoint.objects.exists()
