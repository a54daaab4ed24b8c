"""Workers that send at the same time, and workers that die while they do."""

import pytest

from accounts.models import WebhookAttempt, WebhookDelivery
from accounts.models.webhook_types import DeliveryStatus
from accounts.services.webhooks import sending
from accounts.services.webhooks.claiming import AT_ONCE, LEASE, claim
from accounts.services.webhooks.endpoints import remove_endpoint
from accounts.services.webhooks.outcomes import Outcome, record
from accounts.services.webhooks.sending import deliver_due
from config.clock import database_now
from tests.factories.accounts import UserFactory
from tests.support.subscribing import attempts, post, subscribed
from tests.support.threads import run_together


def fresh(delivery):
    delivery.refresh_from_db()
    return delivery


class TestWorkersThatDie:
    def test_the_next_one_takes_over_when_the_lease_is_over(self, server, endpoint):
        delivery = post(endpoint)
        [lost] = claim()
        assert list(claim()) == []
        WebhookDelivery.objects.update(leased_until=database_now() - LEASE, due_at=database_now())

        deliver_due()

        assert attempts(delivery) == [("retry", None, "interrupted: it may have arrived"), ("retry", 204, "")]
        assert len(server.asked) == 1
        record(lost, Outcome(status_code=500, error="answered 500"))
        assert fresh(delivery).status == DeliveryStatus.DELIVERED

    def test_a_fault_of_ours_is_an_attempt_too(self, server, endpoint, monkeypatch):
        def fault(*_):
            raise RuntimeError

        monkeypatch.setattr(sending, "attempt", fault)
        delivery = post(endpoint)
        deliver_due()

        assert (fresh(delivery).status, attempts(delivery)) == (
            DeliveryStatus.PENDING,
            [("event", None, "RuntimeError")],
        )


@pytest.mark.django_db(transaction=True)
class TestTwoWorkers:
    def test_each_delivery_is_taken_up_by_one(self, server):
        endpoints = [subscribed(UserFactory(), server) for _ in range(8)]
        for endpoint in endpoints:
            for number in range(AT_ONCE):
                post(endpoint, number)

        def work():
            taken = []
            while found := claim():
                taken += [one.pk for one in found]
            return taken

        found = [outcome.value for outcome in run_together([work] * 4)]
        everything = [pk for taken in found for pk in taken]
        assert len(everything) == len(set(everything))
        while rest := work():
            everything += rest
        assert sorted(everything) == sorted(WebhookDelivery.objects.values_list("pk", flat=True))

    def test_one_endpoint_has_never_more_than_four_under_way(self, server):
        endpoint = subscribed(UserFactory(), server)
        for number in range(20):
            post(endpoint, number)

        taken = run_together([claim] * 6)
        assert sum(len(outcome.value) for outcome in taken) <= AT_ONCE

    def test_two_senders_send_everything_once(self, server):
        endpoint = subscribed(UserFactory(), server)
        for number in range(12):
            post(endpoint, number)

        run_together([lambda: deliver_due(seconds=10)] * 2)

        assert len(server.asked) == 12
        assert WebhookAttempt.objects.count() == 12
        assert len({asked.headers["webhook-id"] for asked in server.asked}) == 12

    def test_removing_an_endpoint_while_it_is_served(self, server):
        endpoint = subscribed(UserFactory(), server)
        for number in range(12):
            post(endpoint, number)
        outcomes = run_together(
            [lambda: deliver_due(seconds=10), lambda: remove_endpoint(user=endpoint.user, endpoint_id=endpoint.pk)]
        )

        assert [outcome.error for outcome in outcomes] == [None, None]
        assert set(WebhookDelivery.objects.values_list("status", flat=True)) <= {"delivered", "cancelled"}
