"""What calls with a key see and may do, and what ends it."""

from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.api.authentication import WRONG_KEY
from accounts.models import ApiKey, EmailChange, Role, SessionEnd
from accounts.services.addresses import confirm_email_change, undo_email_change
from accounts.services.blocking import deactivate_user, reactivate_user
from accounts.services.closing import close_account
from accounts.services.links import Purpose, make_change_token, make_token
from accounts.services.own_data import _sections
from accounts.services.passwords import change_password, confirm_password_reset
from accounts.services.roles import assign_role
from accounts.services.second_factor import begin_setup, confirm_setup, turn_off
from accounts.services.sessions import end_all_sessions
from config.api.ratelimit import API_KEY
from config.clock import database_now
from config.models import AuditEntry
from tests.factories.accounts import PASSWORD, AdminFactory, ModeratorFactory
from tests.support.devices import Device, give_device


def shift(key, **columns) -> None:
    """Change what the database would not let anybody change."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        ApiKey.objects.filter(pk=key.pk).update(**columns)
        cursor.execute("SET session_replication_role = origin")


def test_a_key_calls_for_its_owner(user, new_key, with_key):
    caller = with_key(new_key(user, "account:read").text)

    status, body = caller.get("/me")

    assert (status, body["data"]["id"]) == (200, user.pk)


def test_the_word_before_it_may_be_written_small(user, new_key, new_caller):
    caller = new_caller()
    caller.http.credentials(HTTP_AUTHORIZATION=f"api-key  {new_key(user, 'account:read').text}")

    assert caller.get("/me")[0] == 200


def test_what_it_may_not_do_is_named(user, new_key, with_key):
    caller = with_key(new_key(user, "pools:read").text)

    status, body = caller.get("/entries")

    assert (status, body["error"]["code"], body["error"]["details"]) == (
        403, "SCOPE_MISSING", {"scope": "entries:read"},
    )  # fmt: skip


def test_what_everybody_may_see_it_sees_with_the_scope_alone(user, new_key, with_key, caller):
    assert caller.get("/pools")[0] == 200
    assert with_key(new_key(user, "pools:read").text).get("/pools")[0] == 200
    assert with_key(new_key(user, "entries:read").text).get("/pools")[0] == 403


def forgeries(text):
    prefix, secret = text.split("_")[1:]
    other = "a" if secret[-2] != "a" else "b"
    return {
        "nothing": "",
        "half": text[:-1],
        "more": text + "a",
        "another secret": f"ol_{prefix}_{secret[:-2]}{other}{secret[-1]}",
        "another prefix": f"ol_{'a' * 12}_{secret}",
        "in capitals": text.upper(),
        "with a line": f"{text}\\n",
        "no key": "hunter2",
        "the hash": ApiKey.objects.get().digest,
        "not ascii": "ol_ä",
        "long": "ol_" + "a" * 10_000,
    }


@pytest.mark.parametrize("kind", [
    "nothing", "half", "more", "another secret", "another prefix", "in capitals", "with a line", "no key", "the hash",
    "not ascii", "long",
])  # fmt: skip
def test_what_is_no_key_of_ours_opens_nothing(user, new_key, with_key, kind):
    text = new_key(user, "account:read", "pools:read").text
    caller = with_key(forgeries(text)[kind])

    for path in ("/me", "/pools"):
        status, body = caller.get(path)
        assert (status, body["error"]["code"]) == (401, "TOKEN_INVALID"), path


def test_a_key_is_no_access_token_and_a_token_no_key(user, new_key, new_caller, sign_in, with_key):
    assert new_caller().bear(new_key(user, "account:read").text).get("/me")[0] == 401
    assert with_key(sign_in(user)["access"]).get("/me")[0] == 401


def moved(user):
    change = EmailChange.objects.create(user=user, old_email=user.email, new_email="elsewhere@example.test")
    confirm_email_change(token=make_change_token(Purpose.CONFIRM_EMAIL, change, now=database_now()), now=database_now())
    change.refresh_from_db()
    return change


ENDINGS = {
    "expired": lambda user, key: shift(key, expires_at=database_now()),
    "revoked": lambda user, key: ApiKey.objects.filter(pk=key.pk).update(revoked_at=database_now()),
    "another password": lambda user, key: change_password(user=user, current=PASSWORD, new="another good password"),
    "another role": lambda user, key: assign_role(user=user, role=Role.MODERATOR, by=AdminFactory()),
    "sessions ended by staff": lambda user, key: end_all_sessions(user=user, because=SessionEnd.STAFF),
    "another password by mail": lambda user, key: confirm_password_reset(
        token=make_token(Purpose.RESET_PASSWORD, user, now=database_now()),
        new="a wholly different phrase",
        now=database_now(),
    ),
    "another address": lambda user, key: moved(user),
    "the old address again": lambda user, key: undo_email_change(
        token=make_change_token(Purpose.UNDO_EMAIL, moved(user), now=database_now()), now=database_now()
    ),
    "a second factor": lambda user, key: confirm_setup(
        user=user, code=Device(begin_setup(user=user).secret).code(), now=database_now()
    ),
    "no second factor": lambda user, key: give_device(user) and turn_off(user=user),
    "deactivated": lambda user, key: deactivate_user(user=user, by=AdminFactory(), reason="asked to"),
    "closed": lambda user, key: close_account(user=user, now=database_now()),
}


@pytest.mark.parametrize("how", ENDINGS)
def test_it_ends_at_once(user, new_key, with_key, how):
    made = new_key(user, "account:read")
    caller = with_key(made.text)
    assert caller.get("/me")[0] == 200

    ENDINGS[how](user, made.key)

    assert caller.get("/me")[0] == 401


def test_an_account_opened_again_has_no_keys_from_before(user, new_key, with_key):
    caller, boss = with_key(new_key(user, "account:read").text), AdminFactory()
    deactivate_user(user=user, by=boss, reason="asked to")
    reactivate_user(user=user, by=boss, reason="asked to")

    assert caller.get("/me")[0] == 401


def test_one_that_ended_is_listed_as_such(user, new_key, signed_in):
    new_key(user, "account:read")
    end_all_sessions(user=user, because=SessionEnd.STAFF)
    new_key(type(user).objects.get(pk=user.pk), "account:read")

    assert [one["is_good"] for one in signed_in(user).get("/api-keys")[1]["data"]] == [True, False]


def test_a_closed_account_keeps_no_key(user, new_key):
    new_key(user, "account:read")

    close_account(user=user, now=database_now())

    assert not ApiKey.objects.exists()


def test_a_role_that_became_less_takes_its_scopes_along(new_key, with_key):
    """Also where the key itself had stayed good: the role is asked with every call."""
    moderator = ModeratorFactory()
    made = new_key(moderator, "requests:decide")
    type(moderator).objects.filter(pk=moderator.pk).update(role=Role.PLAYER, is_staff=False)

    status, body = with_key(made.text).post("/requests/1/approve")

    assert (status, body["error"]["code"]) == (403, "FORBIDDEN")


def test_staffs_keys_are_made_past_the_second_factor(settings, new_key, with_key, new_caller):
    moderator = ModeratorFactory(password=PASSWORD)
    before = new_key(moderator, "account:read").text
    device = give_device(moderator)
    settings.STAFF_TOTP_REQUIRED = True
    credentials = {"email": moderator.email, "password": PASSWORD, "otp": device.code()}
    me = new_caller().bear(new_caller().post("/auth/token", credentials)[1]["data"]["access"])
    after = me.post("/api-keys", {"name": "Results", "scopes": ["account:read"]})[1]["data"]["key"]

    assert [with_key(before).get("/me")[0], with_key(after).get("/me")[0]] == [401, 200]


def test_its_last_use_is_shown_to_the_minute(user, new_key, with_key):
    made = new_key(user, "account:read")
    caller = with_key(made.text).from_address("198.18.200.7")
    caller.get("/me")
    made.key.refresh_from_db()
    first = made.key.last_used_at
    assert made.key.last_used_address == "198.18.200.7"

    caller.from_address("198.18.200.8").get("/me")
    made.key.refresh_from_db()
    assert (made.key.last_used_at, made.key.last_used_address) == (first, "198.18.200.7")

    ApiKey.objects.filter(pk=made.key.pk).update(last_used_at=first - timedelta(seconds=61))
    caller.get("/me")
    made.key.refresh_from_db()
    assert made.key.last_used_at > first
    assert made.key.last_used_address == "198.18.200.8"


def test_a_wrong_secret_is_no_use_of_the_key(user, new_key, with_key):
    made = new_key(user, "account:read")

    with_key(forgeries(made.text)["another secret"]).get("/me")

    made.key.refresh_from_db()
    assert made.key.last_used_at is None


def test_a_call_costs_two_queries_and_one_more_once_a_minute(user, new_key, with_key):
    caller = with_key(new_key(user, "account:read").text)
    costs = []
    for _ in range(3):
        with CaptureQueriesContext(
            connection,
        ) as asked:
            caller.get("/me")
        costs.append([one["sql"].split()[0] for one in asked if "apikey" in one["sql"]])

    assert costs == [["SELECT", "UPDATE"], ["SELECT"], ["SELECT"]]


def test_a_key_has_limits_of_its_own(user, new_key, with_key):
    caller, other = (with_key(new_key(user, "account:read").text) for _ in range(2))
    policy = API_KEY.allowed
    left = [int(caller.http.get("/api/v1/me")["X-RateLimit-Remaining"]) for _ in range(2)]

    assert left == [policy - 1, policy - 2]
    assert int(other.http.get("/api/v1/me")["X-RateLimit-Remaining"]) == policy - 1


def test_a_key_that_calls_too_often_waits_and_its_owner_does_not(user, new_key, with_key, signed_in, monkeypatch):
    monkeypatch.setattr("config.api.views.API_KEY", type(API_KEY)("api_key", 2, 60, API_KEY.by))
    caller = with_key(new_key(user, "account:read").text)

    assert [caller.get("/me")[0] for _ in range(3)] == [200, 200, 429]
    assert signed_in(user).get("/me")[0] == 200


def test_an_address_with_many_wrong_keys_waits_and_right_ones_do_not(user, new_key, with_key, monkeypatch):
    monkeypatch.setattr("accounts.api.authentication.WRONG_KEY", replace(WRONG_KEY, limit=3))
    right = new_key(user, "account:read").text
    forged = forgeries(right)
    wrong = [forged[kind] for kind in ("another secret", "another prefix", "no key", "half", "nothing")]
    answers = [with_key(text).from_address("198.18.201.1").http.get("/api/v1/me") for text in wrong]

    assert [answer.status_code for answer in answers] == [401, 401, 401, 429, 429]
    assert answers[3].json()["error"]["code"] == "RATE_LIMITED"
    assert 0 < int(answers[3]["Retry-After"]) <= WRONG_KEY.seconds
    assert with_key(right).from_address("198.18.201.1").get("/me")[0] == 200
    assert with_key(wrong[0]).from_address("198.18.201.2").get("/me")[0] == 401
    assert AuditEntry.objects.filter(action="limit.reached", data={"kind": "wrong_api_key"}).count() == 1


def test_the_audit_knows_of_keys_that_came_and_were_worth_nothing(user, new_key, with_key):
    made = new_key(user, "account:read")
    forged = forgeries(made.text)
    with_key(made.text).get("/me")
    for kind in ("another secret", "another prefix", "no key"):
        with_key(forged[kind]).get("/me")
    ENDINGS["revoked"](user, made.key)
    with_key(made.text).get("/me")

    found = AuditEntry.objects.filter(action="api_key.refused").order_by("id")
    assert list(found.values_list("person_id", "actor_kind", "data")) == [
        (user.pk, "anonymous", {"key": made.key.prefix, "why": why}) for why in ("secret", "ended")
    ]


def test_the_audit_names_the_key(user, new_key, with_key):
    made = new_key(user, "account:read")

    with_key(made.text).get("/entries")

    entry = AuditEntry.objects.get(action="access.denied")
    assert (entry.actor_kind, entry.actor_id, entry.api_key) == ("api_key", user.pk, made.key.prefix)


def test_what_a_key_reads_no_cache_keeps(user, new_key, with_key):
    answer = with_key(new_key(user, "account:read").text).http.get("/api/v1/me")

    assert answer["Cache-Control"] == "no-store"
    assert "Authorization" in answer["Vary"]


def test_time_alone_ends_it(user, new_key, with_key):
    made = new_key(user, "account:read", expires_at=database_now() + timedelta(minutes=2))
    with time_machine.travel(database_now() + timedelta(hours=1)):
        # The database's clock decides, not ours.
        assert with_key(made.text).get("/me")[0] == 200


def test_the_own_data_have_keys_without_what_opens_anything(user, new_key):
    made = new_key(user, "account:read")

    [row] = _sections["api_keys"](user)

    assert row["prefix"] == made.key.prefix
    assert "digest" not in row
