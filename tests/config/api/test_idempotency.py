"""The same POST sent twice has one effect and one answer. The numbers are those of the ten promises."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from rest_framework.test import APIClient

from accounts.models import User
from accounts.services import sessions
from config.api import idempotency
from config.clock import database_now
from config.connections import database
from config.models import IdempotencyKey, OutboxMessage
from tests.config.api.sample import TIGHT
from tests.factories.accounts import PASSWORD, UserFactory

WORKS = "/api/v1/sample/works"
PAY = "/api/v1/sample/works/1/pay"
SECRET = "/api/v1/sample/works/secret"


def post(client, address=WORKS, text="a", key="key-1", **more):
    return client.post(address, {"text": text, **more}, format="json", headers={"Idempotency-Key": key})


def effects():
    return OutboxMessage.objects.filter(kind="work").count()


def code_of(answer):
    return answer.status_code, answer.json()["error"]["code"]


@pytest.fixture
def client(signed_in, player):
    return signed_in(player)


def in_parallel(user, count, **how):
    def send(_):
        try:
            caller = APIClient(raise_request_exception=False)
            caller.force_authenticate(user)
            return post(caller, **how)
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        return list(pool.map(send, range(count)))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("address", "status"), [(WORKS, 201), (PAY, 200)])
def test_1_fifty_at_once_have_one_effect_and_one_answer(sample_urls, player, address, status):
    answers = in_parallel(player, 50, address=address)
    assert effects() == 1
    assert {answer.status_code for answer in answers} <= {status, 409}
    assert len({answer.content for answer in answers if answer.status_code == status}) == 1
    assert {code_of(answer)[1] for answer in answers if answer.status_code == 409} <= {"IDEMPOTENCY_IN_PROGRESS"}


@pytest.mark.django_db(transaction=True)
def test_1_without_a_key_every_call_has_its_effect(sample_urls, player):
    def send(_):
        try:
            caller = APIClient()
            caller.force_authenticate(player)
            return caller.post(WORKS, {"text": str(_)}, format="json").status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(5) as pool:
        assert list(pool.map(send, range(10))) == [201] * 10
    assert effects() == 10


@pytest.mark.django_db(transaction=True)
def test_1_while_the_first_runs_the_second_is_told_to_wait(sample_urls, player):
    answers = in_parallel(player, 2, address=PAY, text="slow")
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    refused = next(answer for answer in answers if answer.status_code == 409)
    assert code_of(refused) == (409, "IDEMPOTENCY_IN_PROGRESS")
    assert refused["Retry-After"] == "1"


@pytest.mark.django_db
@pytest.mark.parametrize("address", [WORKS, PAY])
class TestOneCaller:
    def test_2_another_body_is_refused_without_effect(self, client, address):
        post(client, address)
        assert code_of(post(client, address, text="b")) == (422, "IDEMPOTENCY_KEY_REUSED")
        assert code_of(post(client, f"{address}?x=1")) == (422, "IDEMPOTENCY_KEY_REUSED")
        assert effects() == 1

    def test_3_a_replay_is_equal_byte_for_byte(self, client, address):
        first, second = post(client, address), post(client, address)
        assert (second.status_code, second.content) == (first.status_code, first.content)
        assert second["Content-Type"] == first["Content-Type"]
        assert second.headers.get("Location") == first.headers.get("Location")
        assert second["Idempotent-Replayed"] == "true"
        assert "Idempotent-Replayed" not in first
        assert second["X-Request-ID"] != first["X-Request-ID"]
        assert effects() == 1

    def test_3_the_order_of_names_in_the_body_does_not_matter(self, client, address):
        kind = {"content_type": "application/json", "headers": {"Idempotency-Key": "k"}}
        first = client.generic("POST", address, b'{"text": "a", "number": 1}', **kind)
        second = client.generic("POST", address, b'{"number":1,"text":"a"}', **kind)
        assert second.content == first.content

    def test_3_the_quoted_form_names_the_same_key(self, client, address):
        assert post(client, address, key='"abc"').content == post(client, address, key="abc").content

    def test_5_another_user_is_independent(self, client, address, signed_in, stranger):
        post(client, address)
        answer = post(signed_in(stranger), address)
        assert "Idempotent-Replayed" not in answer
        assert effects() == 2

    def test_8_an_exception_in_the_middle_leaves_nothing_and_a_retry_runs(self, client, address):
        assert code_of(post(client, address, text="crash")) == (500, "INTERNAL_ERROR")
        assert not IdempotencyKey.objects.exists()
        assert "Idempotent-Replayed" not in post(client, address, text="crash")

    def test_9_a_key_older_than_its_window_is_new(self, client, address):
        post(client, address)
        IdempotencyKey.objects.update(expires_at=database_now())
        answer = post(client, address, text="another")
        assert answer.status_code < 300
        assert "Idempotent-Replayed" not in answer
        assert effects() == 2
        assert post(client, address, text="another")["Idempotent-Replayed"] == "true"

    @pytest.mark.parametrize("key", ["", "x" * 256, "tab\there", "é", "\x7f"])
    def test_a_key_that_is_not_printable_is_400(self, client, address, key):
        answer = post(client, address, key=key)
        assert code_of(answer) == (400, "VALIDATION_ERROR")
        assert list(answer.json()["error"]["details"]) == ["Idempotency-Key"]

    @pytest.mark.parametrize("key", ["x", "x" * 255, "with spaces and ~!@#$%^&*()"])
    def test_any_printable_key_is_accepted(self, client, address, key):
        assert post(client, address, key=key).status_code < 300


def bearer(access):
    made = APIClient()
    made.credentials(HTTP_AUTHORIZATION=f"Bearer {access}")
    return made


@pytest.mark.django_db
class TestTokens:
    @pytest.fixture
    def pair(self, sample_urls):
        person = UserFactory(password=PASSWORD)
        return sessions.sign_in(email=person.email, password=PASSWORD).pair

    def test_4_a_new_token_replays_what_the_old_one_did(self, pair):
        rotated = sessions.refresh_session(refresh=pair.refresh)
        assert rotated.access != pair.access
        first, second = post(bearer(pair.access)), post(bearer(rotated.access))
        assert first.status_code == 201
        assert second.content == first.content
        assert effects() == 1

    def test_4_a_deactivated_user_gets_no_replay(self, pair):
        assert post(bearer(pair.access)).status_code == 201
        User.objects.update(is_active=False)
        assert post(bearer(pair.access)).status_code == 401


@pytest.mark.django_db
class TestRoutes:
    def test_6_another_route_is_independent(self, client):
        post(client, WORKS)
        assert "Idempotent-Replayed" not in post(client, PAY)
        assert "Idempotent-Replayed" not in post(client, "/api/v1/sample/works/2/pay")
        assert effects() == 3

    def test_a_required_key_that_is_missing_is_400(self, client):
        answer = client.post(PAY, {"text": "a"}, format="json")
        assert code_of(answer) == (400, "IDEMPOTENCY_KEY_REQUIRED")
        assert effects() == 0

    def test_an_operation_without_idempotency_keeps_nothing(self, client):
        assert post(client, SECRET, text="a").status_code == 204
        assert "Idempotent-Replayed" not in post(client, SECRET, text="b")
        assert not IdempotencyKey.objects.exists()

    def test_an_anonymous_caller_has_no_keys(self, sample_urls):
        anonymous = APIClient()
        for _ in range(2):
            assert post(anonymous, "/api/v1/sample/echo").status_code == 201
        assert not IdempotencyKey.objects.exists()


@pytest.mark.django_db
class TestWhatIsKept:
    def test_a_refusal_by_the_domain_is_kept_and_its_work_is_not(self, client):
        first = post(client, text="full")
        assert code_of(first) == (409, "POOL_FULL")
        assert effects() == 0
        second = post(client, text="full")
        assert second.content == first.content
        assert second["Idempotent-Replayed"] == "true"

    @pytest.mark.parametrize(("text", "status"), [("busy", 503), ("denied", 403), ("crash", 500)])
    def test_10_these_are_not_kept(self, client, text, status):
        for _ in range(2):
            answer = post(client, text=text)
            assert answer.status_code == status
            assert "Idempotent-Replayed" not in answer
        assert not IdempotencyKey.objects.exists()
        assert effects() == 0

    def test_10_malformed_bodies_are_not_kept(self, client):
        for body, code in [(b"{", "PARSE_ERROR"), (b'{"text": ""}', "VALIDATION_ERROR")]:
            answer = client.generic(
                "POST", WORKS, body, content_type="application/json", headers={"Idempotency-Key": "key-1"}
            )
            assert code_of(answer) == (400, code)
        assert not IdempotencyKey.objects.exists()
        assert post(client).status_code == 201

    def test_10_a_call_that_was_limited_is_not_kept(self, client, monkeypatch):
        monkeypatch.setattr("tests.config.api.sample.Works.limits", (TIGHT,))
        for key in "ab":
            post(client, key=key)
        assert post(client, key="c").status_code == 429
        assert not IdempotencyKey.objects.filter(key="c").exists()

    def test_10_no_sign_in_no_key(self, sample_urls):
        assert post(APIClient()).status_code == 401
        assert not IdempotencyKey.objects.exists()

    def test_a_provider_that_failed_can_be_asked_again(self, client):
        for _ in range(2):
            assert code_of(post(client, PAY, text="provider")) == (502, "PROVIDER_ERROR")
        assert not IdempotencyKey.objects.exists()

    def test_ordinary_keys_live_a_day_and_those_of_money_thirty(self, client):
        post(client, WORKS)
        post(client, PAY)
        lifetimes = IdempotencyKey.objects.annotate(lifetime=F("expires_at") - F("created_at"))
        assert dict(lifetimes.values_list("route", "lifetime")) == {WORKS: timedelta(days=1), PAY: timedelta(days=30)}

    def test_expired_keys_are_forgotten_and_others_are_not(self, client):
        post(client, key="old")
        IdempotencyKey.objects.update(expires_at=database_now() - timedelta(seconds=1))
        post(client, key="new")
        assert idempotency.forget_expired() == 1
        assert IdempotencyKey.objects.get().key == "new"

    def test_a_claim_whose_lease_ended_is_taken_over(self, client):
        post(client, PAY)
        now = database_now()
        IdempotencyKey.objects.update(status_code=None, leased_until=now + timedelta(seconds=20))
        assert code_of(post(client, PAY)) == (409, "IDEMPOTENCY_IN_PROGRESS")
        assert code_of(post(client, PAY, text="b")) == (422, "IDEMPOTENCY_KEY_REUSED")
        IdempotencyKey.objects.update(leased_until=now)
        assert post(client, PAY).status_code == 200


DYING = """
import django; django.setup()
from rest_framework.test import APIClient
from accounts.models import User
client = APIClient()
client.force_authenticate(User.objects.get(pk={user}))
client.post({address!r}, {{"text": "die"}}, format="json", headers={{"Idempotency-Key": "key-1"}})
"""


def die_in_the_middle(user, address):
    """The same call in a process that is killed between the effect and the answer."""
    known = connection.settings_dict
    url = f"postgres://{known['USER']}:{known['PASSWORD']}@{known['HOST']}:{known['PORT']}/{known['NAME']}"
    assert database(url, process="web")["NAME"] == known["NAME"]
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "OUTLAST_SERVICES": "off",
        "SAMPLE_DIES": "yes",
        "DJANGO_SETTINGS_MODULE": "tests.config.api.sample_settings",
    }
    script = DYING.format(user=user.pk, address=address)
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
class TestKilled:
    def test_7_key_and_effect_vanish_together(self, signed_in, player):
        die_in_the_middle(player, WORKS)
        assert effects() == 0
        assert post(signed_in(player), text="die").status_code == 201
        assert effects() == 1

    def test_7_a_call_in_two_phases_runs_again_when_its_lease_ends(self, signed_in, player):
        die_in_the_middle(player, PAY)
        assert effects() == 1
        assert code_of(post(signed_in(player), PAY, text="die")) == (409, "IDEMPOTENCY_IN_PROGRESS")
        IdempotencyKey.objects.update(leased_until=database_now())
        assert post(signed_in(player), PAY, text="die").status_code == 200
