"""The webhook benchmark sends what our own door lets in, counts what waited, and believes no run that did nothing."""

import time

import pytest

from config.local.benches import webhooks
from config.local.benches.runs import Meaningless
from config.local.benches.serving import percentile
from config.local.stripe.signing import signature_header
from payments.models import WebhookEvent
from tests.support.payments import post_event

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(("share", "value"), [(99, 99.0), (100, 100.0), (50, 50.0), (1, 1.0)])
def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed(share, value):
    assert percentile([float(number) for number in range(100, 0, -1)], share) == value


def test_what_it_sends_is_let_in(settings):
    settings.STRIPE_WEBHOOK_SECRETS = [webhooks.SECRET]
    body = webhooks._event("counted_1")

    assert post_event(body, header=signature_header(body, webhooks.SECRET, int(time.time()))).status_code == 200
    assert WebhookEvent.objects.get().object_id == "cs_test_counted_1"


def test_webhooks_that_were_not_stored_and_a_worker_that_was_idle_are_no_measurement():
    with pytest.raises(Meaningless, match="0 of 1 webhooks were stored"):
        webhooks._expect_work(1)

    event = WebhookEvent.objects.create(provider="stripe", event_id="evt_counted_1", event_type="x", payload={})
    with pytest.raises(Meaningless, match="the worker was idle"):
        webhooks._expect_work(1)

    event.attempts = 1
    event.save(update_fields=["attempts"])
    webhooks._expect_work(1)


def test_a_server_that_is_not_there_is_no_measurement(monkeypatch):
    monkeypatch.setattr(webhooks, "PER_SECOND", 5)

    with pytest.raises(Meaningless, match=r"webhooks were answered \{0: 5\}"):
        webhooks._send(9, "lost", 1)
