"""Deliveries against a real server: signed, tried again, switched off, never keeping others waiting."""

import threading
from datetime import timedelta

import pytest
from django.db import connection

from accounts.models import WebhookDelivery, WebhookHealth
from accounts.models.webhook_types import DeliveryStatus, OffBecause
from accounts.services.webhooks import sending
from accounts.services.webhooks.claiming import AT_ONCE, claim
from accounts.services.webhooks.endpoints import rotate_secret
from accounts.services.webhooks.outcomes import MOST_TRIES, SWITCHED_OFF_AFTER, WAITS, Outcome, record, wait_after
from accounts.services.webhooks.sending import deliver_due
from config import outbox, tracing
from config.clock import database_now
from config.http import Limits
from tests.factories.accounts import UserFactory
from tests.support import bad_server as bad
from tests.support.bad_server import BadServer
from tests.support.subscribing import again, attempts, is_signed, post, subscribed, told

QUICK = Limits(connect=0.5, read=0.5, total=1.0, attempts=1, largest_body=4096, cuts_body=True)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """A receiver that hangs holds a test for a second, not for fifteen."""
    monkeypatch.setattr(sending, "LIMITS", QUICK)


def fresh(delivery):
    delivery.refresh_from_db()
    return delivery


class TestOne:
    def test_it_arrives_signed_with_the_secret(self, server, endpoint):
        delivery = post(endpoint)

        assert deliver_due() == 1

        [asked], [body] = server.asked, told(server)
        assert is_signed(asked, endpoint.secret)
        assert (asked.path, asked.headers["content-type"]) == ("/hooks?token=hush", "application/json")
        assert asked.headers["webhook-id"] == delivery.event_id
        assert set(body) == {"id", "type", "created_at", "api_version", "sequence", "data"}
        assert (body["id"], body["type"], body["sequence"]) == (delivery.event_id, "pool.ended", delivery.pk)
        assert body["created_at"].endswith("Z")
        assert (fresh(delivery).status, attempts(delivery)) == (DeliveryStatus.DELIVERED, [("event", 204, "")])

    def test_both_ends_can_find_each_others_lines(self, server, endpoint):
        post(endpoint)
        with tracing.begin(request_id="r-42") as work:
            deliver_due()

        headers = server.asked[0].headers
        assert (headers["x-request-id"], headers["traceparent"]) == ("r-42", work.trace.traceparent)

    def test_once_it_has_arrived_it_is_not_sent_again(self, server, endpoint):
        post(endpoint)
        deliver_due()

        assert (deliver_due(), len(server.asked)) == (0, 1)

    def test_a_signature_of_another_secret_is_none(self, server, endpoint):
        post(endpoint)
        deliver_due()

        assert not is_signed(server.asked[0], "whsec_" + "A" * 44)

    @pytest.mark.parametrize("code", [200, 201, 202, 204, 299])
    def test_any_2xx_will_do(self, server, endpoint, code):
        server.does(bad.status(code))
        delivery = post(endpoint)
        deliver_due()

        assert fresh(delivery).status == DeliveryStatus.DELIVERED


TROUBLE = {
    "500": (bad.answer(b"oh no", 500), 500, "answered 500"),
    "404": (bad.status(404), 404, "answered 404"),
    "redirect": (bad.redirect("http://169.254.169.254/latest/meta-data"), 302, "answered 302"),
    "redirect home": (bad.redirect("/other", 308), 308, "answered 308"),
    "hang": (bad.hang(), None, "nothing came for 0.5 s"),
    "drip": (bad.slow_headers(every=0.05), None, "no whole answer within 1 s"),
    "drop": (bad.reset(), None, "broken or incomplete"),
    "nonsense": (bad.nonsense(), None, "broken or incomplete"),
}


class TestTrouble:
    @pytest.mark.parametrize(("behaviour", "code", "error"), TROUBLE.values(), ids=TROUBLE)
    def test_it_is_tried_again_until_it_arrives(self, server, endpoint, behaviour, code, error):
        server.does(behaviour, bad.status(200))
        delivery = post(endpoint)

        deliver_due()
        assert (fresh(delivery).status, deliver_due()) == (DeliveryStatus.PENDING, 0)
        again()

        assert fresh(delivery).status == DeliveryStatus.DELIVERED
        assert attempts(delivery) == [("event", code, error), ("retry", 200, "")]
        assert len({asked.headers["webhook-id"] for asked in server.asked}) == 1
        assert len({asked.body for asked in server.asked}) == 1

    def test_nobody_there(self, player):
        with BadServer() as server:
            endpoint = subscribed(player, server)
        delivery = post(endpoint)
        deliver_due()

        assert attempts(delivery) == [("event", None, "no connection")]

    def test_a_huge_answer_is_cut_and_counts(self, server, endpoint):
        server.does(bad.endless())
        delivery = post(endpoint)
        deliver_due()

        assert (fresh(delivery).status, len(delivery.attempts.get().response)) == (DeliveryStatus.DELIVERED, 300)

    def test_secrets_in_an_answer_are_not_kept(self, server, endpoint):
        server.does(bad.answer(b'{"for": "somebody@example.test",\r\n"key": "Bearer eyJhbGciOi.eyJzdWIi.abc"}', 400))
        delivery = post(endpoint)
        deliver_due()

        kept = delivery.attempts.get().response
        assert "somebody@example.test" not in kept
        assert "eyJhbGciOi" not in kept
        assert "\n" not in kept

    def test_a_receiver_may_ask_for_more_time(self, server, endpoint):
        server.does(bad.status(429, Retry_After="7200"))
        delivery = post(endpoint)
        deliver_due()

        assert fresh(delivery).due_at > database_now() + timedelta(minutes=110)

    def test_waits_grow_over_three_days_and_are_never_the_same(self):
        assert [wait_after(n) for n in range(MOST_TRIES, MOST_TRIES + 2)] == [None, None]
        for tries, usual in enumerate(WAITS, start=1):
            found = {wait_after(tries) for _ in range(20)}
            assert len(found) == 20
            assert all(usual <= wait <= usual * 1.1 for wait in found)
        assert SWITCHED_OFF_AFTER <= sum(WAITS, timedelta()) <= SWITCHED_OFF_AFTER * 1.1

    def test_after_the_last_try_it_is_given_up(self, server, endpoint):
        server.does(bad.status(500))
        delivery = post(endpoint)
        for _ in range(MOST_TRIES):
            again()

        assert (fresh(delivery).status, len(attempts(delivery))) == (DeliveryStatus.FAILED, MOST_TRIES)
        assert again() == 0

    def test_a_breaker_that_is_open_is_no_attempt(self, endpoint):
        delivery = post(endpoint)
        [taken] = claim()
        record(taken, Outcome(retry_after=timedelta(seconds=30), was_tried=False))

        assert (fresh(delivery).tries, attempts(delivery)) == (0, [])
        assert delivery.due_at > database_now() + timedelta(seconds=20)


class TestSwitchingOff:
    def failing_for(self, endpoint, age):
        WebhookHealth.objects.filter(pk=endpoint.pk).update(failing_since=database_now() - age)

    def test_after_three_days_of_failures_it_is_off_and_its_owner_told(self, server, endpoint, mailoutbox):
        server.does(bad.status(500))
        post(endpoint)
        self.failing_for(endpoint, SWITCHED_OFF_AFTER)
        deliver_due()
        outbox.drain()

        endpoint.refresh_from_db()
        assert endpoint.off_because == OffBecause.FAILING
        [mail] = mailoutbox
        assert mail.to == [endpoint.user.email]
        assert "nothing arrived for days" in mail.body
        assert "hush" not in mail.body
        post(endpoint, 2)
        assert again() == 0

    def test_not_before(self, server, endpoint):
        server.does(bad.status(500))
        post(endpoint)
        self.failing_for(endpoint, SWITCHED_OFF_AFTER - timedelta(hours=1))
        deliver_due()

        endpoint.refresh_from_db()
        assert endpoint.is_enabled

    def test_one_success_in_between_forgets_the_failures(self, server, endpoint):
        self.failing_for(endpoint, SWITCHED_OFF_AFTER * 2)
        post(endpoint)
        deliver_due()

        endpoint.health.refresh_from_db()
        assert endpoint.health.failing_since is None

    def test_gone_is_gone_at_once(self, server, endpoint, mailoutbox):
        server.does(bad.status(410))
        delivery = post(endpoint)
        deliver_due()
        outbox.drain()

        endpoint.refresh_from_db()
        assert (endpoint.off_because, fresh(delivery).status) == (OffBecause.GONE, DeliveryStatus.FAILED)
        assert len(mailoutbox) == 1


class TestSecrets:
    def test_for_a_day_both_secrets_sign(self, server, endpoint):
        old = endpoint.secret
        now = database_now()
        new = rotate_secret(user=endpoint.user, endpoint_id=endpoint.pk, now=now).secret
        post(endpoint)
        deliver_due()

        assert new != old
        assert [is_signed(server.asked[0], secret) for secret in (old, new)] == [True, True]

    def test_then_the_new_one_alone(self, server, endpoint):
        old = endpoint.secret
        new = rotate_secret(
            user=endpoint.user, endpoint_id=endpoint.pk, now=database_now() - timedelta(hours=25)
        ).secret
        post(endpoint)
        deliver_due()

        assert [is_signed(server.asked[0], secret) for secret in (old, new)] == [False, True]

    def test_the_database_holds_them_encrypted(self, endpoint):
        with connection.cursor() as cursor:
            cursor.execute("SELECT secret FROM accounts_webhookendpoint")
            [(stored,)] = cursor.fetchall()

        assert endpoint.secret.removeprefix("whsec_") not in stored


class TestRightsThatGo:
    def test_who_is_staff_no_more_is_told_nothing_of_others(self, server, moderator):
        endpoint = subscribed(moderator, server, covers="all", events=["entry.created"])
        delivery = WebhookDelivery.objects.create(
            endpoint=endpoint, event_id="evt_1", type="entry.created", data={"entry": {"id": 1}}
        )
        moderator.role, moderator.is_staff = "player", False
        moderator.save(update_fields=["role", "is_staff"])
        deliver_due()

        assert (fresh(delivery).status, server.asked) == (DeliveryStatus.CANCELLED, [])

    def test_nor_is_who_was_deactivated(self, server, endpoint):
        delivery = post(endpoint)
        endpoint.user.is_active = False
        endpoint.user.save(update_fields=["is_active"])
        deliver_due()

        assert (fresh(delivery).status, server.asked) == (DeliveryStatus.CANCELLED, [])


class TestAddressesInside:
    @pytest.mark.parametrize("address", ["http://localhost:{port}/", "http://127.0.0.1:{port}/"])
    def test_what_has_come_to_lead_inside_is_not_called(self, server, endpoint, settings, address):
        settings.OUTGOING_LOOPBACK = False
        type(endpoint).objects.update(url=address.format(port=server.port).replace("http:", "https:"))
        delivery = post(endpoint)
        deliver_due()

        assert attempts(delivery) == [("event", None, "its address leads to nowhere in the open internet")]
        assert server.asked == []


class TestFairness:
    def test_a_slow_subscriber_keeps_nobody_waiting(self, endpoint, server):
        """Thirty deliveries to a server that hangs, and one to each of five that do not."""
        with BadServer() as slow, BadServer() as quick:
            hanging = subscribed(UserFactory(), slow)
            slow.does(bad.hang())
            for number in range(30):
                post(hanging, number)
            others = [subscribed(UserFactory(), quick) for _ in range(5)]
            arrived = threading.Event()

            def note(link, asked, closing):
                bad.status(204)(link, asked, closing)
                if len(quick.asked) == 5:
                    arrived.set()

            quick.does(note)
            for other in others:
                post(other)
            deliver_due(seconds=0.5)

            assert arrived.is_set()
            assert len(slow.asked) <= AT_ONCE

    def test_while_it_fails_one_call_at_a_time_is_enough(self, server, endpoint):
        WebhookHealth.objects.update(failing_since=database_now())
        for number in range(10):
            post(endpoint, number)

        assert [len(claim()), len(claim())] == [1, 0]

    def test_at_most_four_at_once(self, server, endpoint):
        for number in range(10):
            post(endpoint, number)

        assert [len(claim()), len(claim())] == [AT_ONCE, 0]

    def test_endpoints_take_turns(self, server, endpoint):
        other = subscribed(UserFactory(), server)
        for number in range(3):
            post(endpoint, number)
            post(other, number)

        served = [{one.endpoint_id for one in claim()} for _ in range(2)]
        assert served == [{endpoint.pk}, {other.pk}]

    def test_healthy_ones_alone_if_asked(self, server, endpoint):
        post(endpoint)
        WebhookHealth.objects.update(failing_since=database_now())

        assert (list(claim(only_healthy=True)), len(claim())) == ([], 1)

    @pytest.mark.parametrize("count", [1, 3])
    def test_statements_of_a_claim_do_not_grow(self, server, endpoint, count, django_assert_num_queries):
        for number in range(count):
            post(endpoint, number)
        with django_assert_num_queries(6):
            assert len(claim()) == count
