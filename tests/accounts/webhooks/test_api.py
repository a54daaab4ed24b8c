"""The calls of subscribers: their endpoints, the log, replays."""

from datetime import timedelta

import pytest

from accounts.models import WebhookDelivery, WebhookEndpoint
from accounts.models.webhook_types import DeliveryStatus, OffBecause
from accounts.services.closing import close_account
from accounts.services.own_data import write_own_data
from accounts.services.webhooks.endpoints import MOST_ENDPOINTS
from accounts.services.webhooks.sending import deliver_due
from config.clock import database_now
from config.models import AuditEntry
from tests.factories.accounts import UserFactory
from tests.support import bad_server as bad
from tests.support.subscribing import again, attempts, post, subscribed, told, types

ENDPOINTS = "/api/v1/webhook-endpoints"
GOOD = {"url": "https://hooks.example.org/outlast", "events": ["entry.eliminated", "entry.won"]}


def made(client, **changes):
    answer = client.post(ENDPOINTS, GOOD | changes)
    assert answer.status_code == 201, answer.content
    return answer.json()["data"]


def refused(answer):
    said = answer.json()["error"]
    return answer.status_code, said["code"], said["details"]


class TestMaking:
    def test_its_secret_is_shown_once(self, api, player):
        data = made(api(player), name="my scoreboard", pools=[7, 3, 7])

        assert data["secret"].startswith("whsec_")
        assert len(data["secret"]) == 6 + 44
        assert (data["covers"], data["pools"], data["enabled"]) == ("own", [3, 7], True)
        for path in (ENDPOINTS, f"{ENDPOINTS}/{data['id']}"):
            assert data["secret"] not in api(player).get(path).content.decode()

    def test_events_are_kept_once_each_in_the_order_of_the_list(self, api, player):
        data = made(api(player), events=["entry.won", "entry.eliminated", "entry.won"])
        assert data["events"] == ["entry.eliminated", "entry.won"]

    @pytest.mark.parametrize(
        "url",
        [
            "http://hooks.example.org/", "ftp://hooks.example.org/", "https://hooks.example.org:22/",
            "https://me:word@hooks.example.org/", "https://10.0.0.1/", "https://[fd00:ec2::254]/", "https://[::1%25lo]/",
            "https://169.254.169.254/latest", "https://[::ffff:169.254.169.254]/", "https://2130706433/",
            "https://0x7f000001/", "https://0177.0.0.1/", "https://127.1/", "https://hooks.example.org/#part",
            "https://hooks.example.org\\@10.0.0.1/", "https:///x", "https://hooks.exämple.org/", "javascript:alert(1)",
            "https://hooks.example.org/a b", "https://224.0.0.1/", "https://0.0.0.0/",
            "//hooks.example.org/", "hooks.example.org", "https://h/" + "x" * 500,
        ],
    )  # fmt: skip
    def test_addresses_that_lead_inside_or_nowhere_are_refused(self, api, player, url):
        status, code, details = refused(api(player).post(ENDPOINTS, GOOD | {"url": url}))
        assert (status, code, list(details)) == (400, "VALIDATION_ERROR", ["url"])
        assert "OUTGOING_HOSTS" not in str(details)

    def test_where_strangers_are_served_this_machine_is_closed(self, api, player, settings):
        settings.OUTGOING_LOOPBACK = False
        for url in ("http://127.0.0.1:8000/", "https://127.0.0.1/", "https://[::1]/"):
            assert refused(api(player).post(ENDPOINTS, GOOD | {"url": url}))[:2] == (400, "VALIDATION_ERROR")

    @pytest.mark.parametrize(
        ("field", "value"),
        [("events", []), ("events", ["entry.picked"]), ("events", ["webhook.test"]), ("covers", "some"),
         ("pools", [0]), ("pools", list(range(1, 102))), ("name", "x" * 61)],
    )  # fmt: skip
    def test_what_cannot_be_is_refused_by_field(self, api, player, field, value):
        status, code, details = refused(api(player).post(ENDPOINTS, GOOD | {field: value}))
        assert (status, code, next(iter(details)).partition(".")[0]) == (400, "VALIDATION_ERROR", field)

    def test_ten_are_enough(self, api, player):
        for _ in range(MOST_ENDPOINTS):
            made(api(player))
        assert refused(api(player).post(ENDPOINTS, GOOD)) == (409, "ENDPOINT_LIMIT_REACHED", {"limit": MOST_ENDPOINTS})
        api(player).delete(f"{ENDPOINTS}/{WebhookEndpoint.objects.first().pk}")
        made(api(player))

    def test_who_cannot_get_mail_cannot_have_one(self, api, db):
        user = UserFactory(email_verified_at=None)
        assert refused(api(user).post(ENDPOINTS, GOOD))[:2] == (403, "EMAIL_NOT_VERIFIED")

    def test_everybodys_is_for_staff_as_far_as_their_role_sees(self, api, player, moderator, finance, admin_user):
        wish = {"covers": "all", "events": ["entry.won", "payment.received"]}
        for user in (player, moderator):
            assert refused(api(user).post(ENDPOINTS, GOOD | wish))[:2] == (400, "VALIDATION_ERROR")
        made(api(moderator), covers="all", events=["entry.won", "request.created", "pool.ended"])
        for user in (finance, admin_user):
            assert made(api(user), **wish)["covers"] == "all"


class TestStrangers:
    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("get", "", None), ("patch", "", {"enabled": False}), ("delete", "", None), ("post", "/test", None),
            ("post", "/rotate-secret", None), ("get", "/deliveries", None),
            ("post", "/replay", {"since": "2026-01-01T00:00:00Z"}), ("post", "/deliveries/{delivery}/replay", None),
        ],
    )  # fmt: skip
    def test_a_stranger_gets_404_and_so_do_staff(self, api, endpoint, stranger, admin_user, method, path, body):
        delivery = post(endpoint)
        address = f"{ENDPOINTS}/{endpoint.pk}{path.format(delivery=delivery.pk)}"
        for user in (stranger, admin_user):
            assert getattr(api(user), method)(address, body).status_code == 404
        assert getattr(api(), method)(address, body).status_code == 401
        endpoint.refresh_from_db()
        assert endpoint.is_enabled

    def test_the_list_is_ones_own(self, api, endpoint, stranger):
        assert api(stranger).get(ENDPOINTS).json()["data"] == []

    def test_a_delivery_of_another_endpoint_is_not_there(self, api, endpoint, server):
        other = subscribed(endpoint.user, server)
        delivery = post(other)
        answer = api(endpoint.user).post(f"{ENDPOINTS}/{endpoint.pk}/deliveries/{delivery.pk}/replay")
        assert answer.status_code == 404


class TestChanging:
    def test_what_is_given_changes_and_the_rest_stays(self, api, player):
        data = made(api(player), name="before", pools=[1])
        changed = api(player).patch(f"{ENDPOINTS}/{data['id']}", {"events": ["pool.ended"]}).json()["data"]
        assert (changed["events"], changed["name"], changed["pools"]) == (["pool.ended"], "before", [1])

    def test_two_who_edit_do_not_undo_each_other(self, api, player):
        data = made(api(player))
        address = f"{ENDPOINTS}/{data['id']}"
        seen = api(player).get(address)["ETag"]
        first = api(player).patch(address, {"name": "mine"}, headers={"If-Match": seen})
        second = api(player).patch(address, {"name": "yours"}, headers={"If-Match": seen})
        assert (first.status_code, refused(second)[:2]) == (200, (409, "VERSION_CONFLICT"))
        assert api(player).get(address).json()["data"]["name"] == "mine"

    def test_a_delivery_in_between_is_no_edit(self, api, endpoint):
        client = api(endpoint.user)
        seen = client.get(f"{ENDPOINTS}/{endpoint.pk}")["ETag"]
        post(endpoint)
        deliver_due()
        answer = client.patch(f"{ENDPOINTS}/{endpoint.pk}", {"name": "mine"}, headers={"If-Match": seen})
        assert answer.status_code == 200

    def test_off_nothing_is_sent_and_on_it_goes_on(self, api, endpoint, server):
        client, address = api(endpoint.user), f"{ENDPOINTS}/{endpoint.pk}"
        post(endpoint)
        off = client.patch(address, {"enabled": False}).json()["data"]
        assert (off["enabled"], off["off_because"], deliver_due()) == (False, OffBecause.OWNER, 0)
        assert client.patch(address, {"enabled": True}).json()["data"]["off_because"] == ""
        assert (deliver_due(), len(server.asked)) == (1, 1)

    def test_rotating_shows_the_new_secret_and_until_when_the_old_one_signs(self, api, player):
        before = made(api(player))
        after = api(player).post(f"{ENDPOINTS}/{before['id']}/rotate-secret").json()["data"]
        assert after["secret"] != before["secret"]
        assert after["previous_secret_until"] is not None

    def test_removing_forgets_address_and_secrets_and_keeps_the_log(self, api, endpoint, server):
        done, waiting = post(endpoint, 1), post(endpoint, 2)
        deliver_due()
        waiting = post(endpoint, 3)
        assert api(endpoint.user).delete(f"{ENDPOINTS}/{endpoint.pk}").status_code == 204
        endpoint.refresh_from_db()
        assert (endpoint.url, endpoint.secret, endpoint.previous_secret) == ("", None, None)
        waiting.refresh_from_db()
        done.refresh_from_db()
        assert (done.status, waiting.status, again()) == (DeliveryStatus.DELIVERED, DeliveryStatus.CANCELLED, 0)
        assert api(endpoint.user).get(f"{ENDPOINTS}/{endpoint.pk}").status_code == 404

    def test_the_audit_knows_and_holds_no_secret_and_no_address(self, api, player):
        data = made(api(player))
        address = f"{ENDPOINTS}/{data['id']}"
        api(player).patch(address, {"events": ["pool.ended"]})
        secret = api(player).post(f"{address}/rotate-secret").json()["data"]["secret"]
        api(player).delete(address)
        kept = AuditEntry.objects.filter(subject_type="webhook_endpoint").order_by("id")
        assert [entry.action for entry in kept] == [
            f"webhook_endpoint.{verb}" for verb in ("made", "changed", "rotated", "removed")
        ]
        assert {entry.person_id for entry in kept} == {player.pk}
        assert {entry.actor_id for entry in kept} == {player.pk}
        told_of = str([entry.data for entry in kept])
        assert not any(word in told_of for word in (secret, data["secret"], "hooks.example.org"))


class TestLog:
    def test_a_test_arrives_and_says_nothing(self, api, endpoint, server):
        answer = api(endpoint.user).post(f"{ENDPOINTS}/{endpoint.pk}/test")
        assert (answer.status_code, answer.json()["data"]["status"]) == (201, "pending")
        deliver_due()
        [body] = told(server)
        assert (body["type"], body["data"]) == ("webhook.test", {})

    def test_an_endpoint_that_is_off_cannot_be_tried_or_replayed(self, api, endpoint):
        client, address = api(endpoint.user), f"{ENDPOINTS}/{endpoint.pk}"
        client.patch(address, {"enabled": False})
        assert refused(client.post(f"{address}/test"))[:2] == (409, "INVALID_TRANSITION")
        since = {"since": "2026-01-01T00:00:00Z"}
        assert refused(client.post(f"{address}/replay", since))[:2] == (409, "INVALID_TRANSITION")

    def test_each_attempt_is_told(self, api, endpoint, server):
        server.does(bad.answer(b"try me later", 503), bad.answer(b"thanks", 200))
        post(endpoint)
        deliver_due()
        again()
        [row] = api(endpoint.user).get(f"{ENDPOINTS}/{endpoint.pk}/deliveries").json()["data"]
        assert (row["status"], row["next_attempt_at"], row["data"]) == ("delivered", None, {"pool": 1})
        newest, oldest = row["attempts"]
        assert (newest["cause"], newest["status_code"], newest["response"]) == ("retry", 200, "thanks")
        assert (oldest["cause"], oldest["error"], oldest["response"]) == ("event", "answered 503", "try me later")
        assert oldest["duration_ms"] >= 0

    @pytest.mark.parametrize("count", [1, 3])
    def test_statements_do_not_grow(self, api, endpoint, count, django_assert_max_num_queries):
        for number in range(count):
            post(endpoint, number)
        deliver_due()
        client = api(endpoint.user)
        with django_assert_max_num_queries(5):
            rows = client.get(f"{ENDPOINTS}/{endpoint.pk}/deliveries").json()["data"]
        assert len(rows) == count

    def test_it_can_be_narrowed_and_read_by_cursor(self, api, endpoint, server):
        for number in range(3):
            post(endpoint, number)
        client, address = api(endpoint.user), f"{ENDPOINTS}/{endpoint.pk}/deliveries"
        assert len(client.get(address, {"status": "pending", "type": "pool.ended"}).json()["data"]) == 3
        assert client.get(address, {"type": "entry.won"}).json()["data"] == []
        first = client.get(address, {"limit": 2}).json()
        second = client.get(address, {"limit": 2, "cursor": first["meta"]["pagination"]["next_cursor"]}).json()
        assert [row["sequence"] for row in first["data"] + second["data"]] == sorted(
            WebhookDelivery.objects.values_list("pk", flat=True), reverse=True
        )


class TestReplaying:
    def test_one_comes_again_under_the_same_id(self, api, endpoint, server):
        delivery = post(endpoint)
        deliver_due()
        answer = api(endpoint.user).post(f"{ENDPOINTS}/{endpoint.pk}/deliveries/{delivery.pk}/replay")
        assert (answer.status_code, answer.json()["data"]["status"]) == (200, "pending")
        deliver_due()
        assert [asked.headers["webhook-id"] for asked in server.asked] == [delivery.event_id] * 2
        assert server.asked[0].body == server.asked[1].body
        assert [cause for cause, _, _ in attempts(delivery)] == ["event", "replay"]

    def test_one_that_waits_is_not_replayed(self, api, endpoint):
        delivery = post(endpoint)
        answer = api(endpoint.user).post(f"{ENDPOINTS}/{endpoint.pk}/deliveries/{delivery.pk}/replay")
        assert refused(answer)[:2] == (409, "INVALID_TRANSITION")

    def test_all_since_an_instant_that_failed(self, api, endpoint, server):
        server.does(bad.status(410))
        failed = post(endpoint, 1)
        deliver_due()
        client, address = api(endpoint.user), f"{ENDPOINTS}/{endpoint.pk}"
        client.patch(address, {"enabled": True})
        server.does(bad.status(200))
        post(endpoint, 2)
        deliver_due()

        soon = (database_now() + timedelta(minutes=1)).isoformat()
        past = (database_now() - timedelta(minutes=1)).isoformat()
        assert client.post(f"{address}/replay", {"since": soon}).json()["data"] == {"replayed": 0}
        assert client.post(f"{address}/replay", {"since": past}).json()["data"] == {"replayed": 1}
        deliver_due()
        failed.refresh_from_db()
        assert (failed.status, failed.tries) == (DeliveryStatus.DELIVERED, 1)
        everything = {"since": past, "status": ["failed", "delivered"]}
        assert client.post(f"{address}/replay", everything).json()["data"] == {"replayed": 2}
        deliver_due()
        assert types(server) == ["pool.ended"] * 5


class TestOwnData:
    def test_it_is_in_the_file_without_secrets(self, endpoint, tmp_path):
        post(endpoint)
        with (tmp_path / "own.json").open("w+b") as file:
            write_own_data(user=endpoint.user, file=file)
        text = (tmp_path / "own.json").read_text()
        assert endpoint.url in text
        assert "pool.ended" in text
        assert endpoint.secret not in text

    def test_closing_the_account_ends_it(self, endpoint, server):
        post(endpoint)
        close_account(user=endpoint.user, now=database_now())
        endpoint.refresh_from_db()
        assert (endpoint.url, endpoint.secret, deliver_due(), server.asked) == ("", None, 0, [])
