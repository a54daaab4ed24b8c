"""The door for the provider's news: what is let in, what is refused, and that it is answered at once."""

import json
import threading
import time
from collections import Counter

import pytest
import stripe
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from redis import Redis

from payments.api.webhooks import LARGEST_BODY
from payments.models import Discrepancy, WebhookEvent
from payments.providers.faults import SignatureInvalid
from payments.providers.notices import Notice
from tests.support.payments import ROTATED, SECRET, post_event

pytestmark = pytest.mark.django_db(transaction=True)

EVENT = {
    "id": "evt_1",
    "object": "event",
    "type": "checkout.session.completed",
    "livemode": False,
    "data": {"object": {"id": "cs_test_1", "object": "checkout.session"}},
}


@pytest.fixture(autouse=True)
def secrets(settings):
    settings.STRIPE_WEBHOOK_SECRETS = [SECRET, ROTATED]


def code_of(answer):
    return answer.status_code, answer.json()["error"]["code"]


class TestTakingIn:
    def test_a_signed_event_is_stored_as_it_came(self):
        answer = post_event(EVENT)

        event = WebhookEvent.objects.get()
        assert answer.status_code == 200
        assert answer.json()["data"] == {"received": True}
        assert (event.provider, event.event_id, event.event_type) == ("stripe", "evt_1", "checkout.session.completed")
        assert (event.object_id, event.livemode, event.payload) == ("cs_test_1", False, EVENT)
        assert (event.status, event.deliveries, event.attempts) == ("received", 1, 0)

    def test_again_it_is_counted_and_nothing_else(self):
        for _ in range(3):
            assert post_event(EVENT).status_code == 200

        assert WebhookEvent.objects.get().deliveries == 3

    def test_it_takes_one_statement(self):
        with CaptureQueriesContext(connection) as captured:
            post_event(EVENT)

        assert len(captured) == 1

    def test_both_secrets_are_good_while_they_are_rotated(self):
        assert post_event(EVENT, secret=SECRET).status_code == 200
        assert post_event({**EVENT, "id": "evt_2"}, secret=ROTATED).status_code == 200

    def test_one_good_signature_among_several_is_enough(self):
        raw, now = json.dumps(EVENT), int(time.time())
        good = stripe.WebhookSignature.generate_signature_header(raw, SECRET, now)

        assert post_event(raw.encode(), header=f"{good},v1={'0' * 64}").status_code == 200

    def test_an_event_of_an_unknown_type_is_stored(self):
        assert post_event({**EVENT, "type": "something.new"}).status_code == 200

    def test_a_thin_event_is_stored_with_its_object(self):
        thin = {
            "id": "evt_thin",
            "object": "v2.core.event",
            "type": "v1.checkout.session.completed",
            "livemode": False,
            "related_object": {"id": "cs_test_9", "type": "checkout.session"},
        }

        assert post_event(thin).status_code == 200
        assert WebhookEvent.objects.get().object_id == "cs_test_9"

    def test_characters_that_the_database_has_no_place_for_are_left_out(self):
        odd = json.dumps(EVENT | {"note": "a-b"}).replace("a-b", "a\\u0000b\\ud800")

        assert post_event(odd.encode()).status_code == 200
        assert WebhookEvent.objects.get().payload["note"] == "ab?"

    @pytest.mark.slow
    def test_a_worker_is_asked_to_hurry(self, settings):
        queue = Redis.from_url(settings.CELERY_BROKER_URL)
        # Tests that run beside this one leave hints in the same broker, so nothing is emptied here.
        before = hints(queue)

        post_event(EVENT)

        wanted = ("payments.tasks.process_webhook", f"({WebhookEvent.objects.get().pk},)")
        deadline = time.monotonic() + 10
        while hints(queue)[wanted] == before[wanted] and time.monotonic() < deadline:
            time.sleep(0.05)
        assert hints(queue)[wanted] > before[wanted]

    def test_a_broker_that_is_away_does_not_matter(self, settings):
        settings.CELERY_BROKER_URL = "redis://127.0.0.1:9/0"

        assert post_event(EVENT).status_code == 200
        assert WebhookEvent.objects.count() == 1

    @pytest.mark.slow
    def test_many_in_a_minute_are_all_taken(self):
        assert {post_event({**EVENT, "id": f"evt_{n}"}).status_code for n in range(320)} == {200}


class TestRefusing:
    def refused(self, *args, **how):
        answer = post_event(*args, **how)
        assert not WebhookEvent.objects.exists()
        return code_of(answer)

    def test_without_a_signature(self):
        assert self.refused(EVENT, header="") == (400, "SIGNATURE_INVALID")

    @pytest.mark.parametrize(
        "header",
        [
            "garbage",
            "t=,v1=",
            "t=abc,v1=00",
            "t=1",
            "v1=00",
            "=,=",
            "t=1=2=3,v1=4=5=6",
            f"t={'9' * 5000},v1=00",
            "t=1,v1=ü",
        ],
    )
    def test_garbage_for_a_signature(self, header):
        assert self.refused(EVENT, header=header) == (400, "SIGNATURE_INVALID")

    def test_another_secret(self):
        assert self.refused(EVENT, secret="whsec_of_somebody_else") == (400, "SIGNATURE_INVALID")

    def test_a_signature_of_the_old_scheme_alone(self):
        raw, now = json.dumps(EVENT), int(time.time())
        header = stripe.WebhookSignature.generate_signature_header(raw, SECRET, now).replace("v1=", "v0=")

        assert self.refused(raw.encode(), header=header) == (400, "SIGNATURE_INVALID")

    def test_a_body_with_one_byte_changed(self):
        raw, now = json.dumps(EVENT), int(time.time())
        header = stripe.WebhookSignature.generate_signature_header(raw, SECRET, now)

        assert self.refused(raw.replace("evt_1", "evt_2").encode(), header=header) == (400, "SIGNATURE_INVALID")

    @pytest.mark.parametrize("age", [310, 3600, -310, -86400])
    def test_a_signature_that_is_not_of_now(self, age):
        assert self.refused(EVENT, at=int(time.time()) - age) == (400, "SIGNATURE_INVALID")

    @pytest.mark.parametrize("age", [290, -290])
    def test_a_signature_of_nearly_now_is_good(self, age):
        assert post_event(EVENT, at=int(time.time()) - age).status_code == 200

    def test_bytes_that_are_no_text(self):
        assert self.refused(b"\xff\xfe\x00", header="t=1,v1=00") == (400, "SIGNATURE_INVALID")

    @pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"event"', b'{"id": NaN}', b"[" * 100_000])
    def test_signed_nonsense(self, body):
        assert self.refused(body) == (400, "PARSE_ERROR")

    @pytest.mark.parametrize(
        "event",
        [{}, {"id": 1, "type": "a"}, {"id": "", "type": "a"}, {"id": "evt_1"}, {"id": "e" * 256, "type": "a"}],
    )
    def test_signed_json_that_is_no_event(self, event):
        assert self.refused(event) == (400, "VALIDATION_ERROR")

    def test_a_body_that_is_too_large(self):
        assert self.refused({**EVENT, "padding": "x" * LARGEST_BODY}) == (413, "PAYLOAD_TOO_LARGE")

    @pytest.mark.parametrize("name", ["manual", "nobody", "base", "notices", "STRIPE"])
    def test_a_provider_that_brings_no_news_has_no_address(self, api, name):
        assert code_of(api().post(f"/api/v1/webhooks/{name}", {})) == (404, "NOT_FOUND")

    def test_a_registered_provider_has_one(self, api, monkeypatch):
        monkeypatch.setattr("payments.providers._registered", {"other": lambda: OtherProvider()})

        answer = api().post("/api/v1/webhooks/other", {"id": "evt_1"}, headers={"X-Other": "good"})

        assert answer.status_code == 200
        assert WebhookEvent.objects.get().provider == "other"
        assert code_of(api().post("/api/v1/webhooks/other", {}, headers={"X-Other": "bad"})) == (
            400,
            "SIGNATURE_INVALID",
        )

    def test_a_refusal_is_one_statement_and_the_limit_a_few_more(self, settings):
        settings.WEBHOOK_REFUSALS_PER_HOUR = 2
        counts = []
        for _ in range(3):
            with CaptureQueriesContext(connection) as captured:
                post_event(EVENT, header="garbage")
            counts.append(len(captured))

        assert counts[0] == counts[2] == 1
        assert counts[1] <= 12
        assert Discrepancy.objects.get().object_key == "webhooks:stripe"

    def test_another_method(self, api):
        assert code_of(api().get("/api/v1/webhooks/stripe")) == (405, "METHOD_NOT_ALLOWED")

    def test_when_the_row_cannot_be_written_stripe_is_told_to_come_again(self):
        released = threading.Event()
        holder = threading.Thread(target=hold_the_inbox, args=[released])
        holder.start()
        try:
            wait_until_held()
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '100ms'")
            answer = post_event(EVENT, client=Client(raise_request_exception=False))
        finally:
            released.set()
            holder.join()
            with connection.cursor() as cursor:
                cursor.execute("RESET lock_timeout")

        assert code_of(answer) == (500, "INTERNAL_ERROR")
        assert not WebhookEvent.objects.exists()


class OtherProvider:
    """Somebody else's, who signs with a word."""

    name, livemode, signature_header = "other", False, "X-Other"

    def read_notice(self, body, signature):
        if signature != "good":
            raise SignatureInvalid
        return Notice(event_id="evt_1", event_type="a", object_id="", livemode=False, payload=json.loads(body))


def hints(queue):
    """How often each task waits in the broker's queue, by name and arguments."""
    found = [json.loads(raw)["headers"] for raw in queue.lrange("celery", 0, -1)]
    return Counter((one["task"], one["argsrepr"]) for one in found)


def hold_the_inbox(released):
    """Keep everybody from writing to the inbox."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("LOCK TABLE payments_webhookevent IN EXCLUSIVE MODE")
            released.wait(10)
    finally:
        connection.close()


def wait_until_held():
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE mode = 'ExclusiveLock' AND relation IS NOT NULL")
            if cursor.fetchone()[0]:
                return
        time.sleep(0.02)
    raise AssertionError("nobody holds it")
