"""GET, POST and DELETE /api-keys."""

from datetime import timedelta

import pytest

from accounts.models import ApiKey, Role, Session
from accounts.services.api_keys import KEY, MOST_KEYS
from accounts.services.roles import assign_role
from config.clock import database_now
from config.models import AuditEntry
from tests.factories.accounts import PASSWORD, FinanceFactory, ModeratorFactory, UserFactory

PATH = "/api-keys"
BODY = {"name": "Scoreboard", "scopes": ["pools:read", "entries:read"]}
SHOWN = {
    "id", "name", "prefix", "scopes", "is_good", "replaces", "created_at", "expires_at", "last_used_at",
    "last_used_address",
}  # fmt: skip


@pytest.fixture
def me(signed_in, user):
    return signed_in(user)


def made(me, **more):
    status, body = me.post(PATH, BODY | more)
    assert status == 201, body
    return body["data"]


def refused(me, **more):
    status, body = me.post(PATH, BODY | more)
    assert status == 400, body
    return set(body["error"]["details"])


def test_the_text_is_shown_once_and_kept_nowhere(me):
    key = made(me)

    assert set(key) == SHOWN | {"key"}
    assert KEY.fullmatch(key["key"])[1] == key["prefix"]
    [row] = ApiKey.objects.values()
    secret = key["key"].rsplit("_", 1)[1]
    assert not [name for name, value in row.items() if secret in str(value)]
    assert [set(one) for one in me.get(PATH)[1]["data"]] == [SHOWN]


def test_no_key_is_kept_as_an_answer_to_be_given_again(me):
    first, second = (me.post(PATH, BODY, HTTP_IDEMPOTENCY_KEY="the same key")[1]["data"]["key"] for _ in range(2))

    assert first != second


def test_without_a_time_it_ends_in_ninety_days(me):
    made(me)

    [key] = ApiKey.objects.all()
    assert timedelta(days=90) - timedelta(minutes=1) < key.expires_at - key.created_at <= timedelta(days=90)


@pytest.mark.parametrize(("days", "is_taken"), [(-1, False), (0, False), (1, True), (365, True), (366, False)])
def test_a_key_ends_within_a_year(me, days, is_taken):
    moment = (database_now() + timedelta(days=days)).isoformat()

    assert me.post(PATH, BODY | {"expires_at": moment})[0] == (201 if is_taken else 400)


@pytest.mark.parametrize("name", ["", " ", "x" * 61, "a\u202eb", "a\x07"])
def test_a_name_is_one_that_people_can_read(me, name):
    assert refused(me, name=name) == {"name"}


@pytest.mark.parametrize("scopes", [[], ["everything"], ["pools:*"], ["api-keys:write"], ["pools:read", "x"]])
def test_scopes_are_those_of_the_list(me, scopes):
    [field] = refused(me, scopes=scopes)

    assert field.split(".")[0] == "scopes"


@pytest.mark.parametrize("scope", ["pools:write", "results:write", "requests:decide", "finance:read", "reports:read"])
def test_nobody_gives_more_than_their_role_has(me, scope):
    assert refused(me, scopes=["pools:read", scope]) == {"scopes"}
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize(
    ("factory", "own", "others"),
    [(ModeratorFactory, "requests:decide", "finance:read"), (FinanceFactory, "reports:write", "results:write")],
)
def test_staff_give_what_their_role_has(signed_in, factory, own, others):
    me = signed_in(factory(password=PASSWORD))

    assert made(me, scopes=[own])["scopes"] == [own]
    assert refused(me, scopes=[others]) == {"scopes"}


def test_scopes_stand_in_the_order_of_the_list_each_once(me):
    assert made(me, scopes=["entries:read", "pools:read", "entries:read"])["scopes"] == ["pools:read", "entries:read"]


def test_there_are_twenty_at_most(me, user, new_key):
    for _ in range(MOST_KEYS):
        new_key(user, "pools:read")

    status, body = me.post(PATH, BODY)
    assert (status, body["error"]["code"], body["error"]["details"]) == (409, "KEY_LIMIT_REACHED", {"limit": 20})

    me.delete(f"{PATH}/{ApiKey.objects.first().pk}")
    assert me.post(PATH, BODY)[0] == 201


def test_keys_of_others_are_not_there(me, new_key):
    theirs = new_key(UserFactory(), "pools:read").key

    assert me.get(PATH)[1]["data"] == []
    assert me.delete(f"{PATH}/{theirs.pk}")[0] == 404
    assert me.post(f"{PATH}/{theirs.pk}/rotate")[0] == 404
    theirs.refresh_from_db()
    assert theirs.revoked_at is None


@pytest.mark.parametrize("path", [f"{PATH}/0", f"{PATH}/999999999999999999"])
def test_what_is_no_key_is_not_there(me, path):
    assert [me.delete(path)[0], me.post(f"{path}/rotate")[0]] == [404, 404]


def test_a_revoked_key_is_gone_from_the_list(me, with_key):
    key = made(me)

    assert me.delete(f"{PATH}/{key['id']}") == (204, None)

    assert me.get(PATH)[1]["data"] == []
    assert with_key(key["key"]).get("/pools")[0] == 401
    assert me.delete(f"{PATH}/{key['id']}")[0] == 404


@pytest.mark.parametrize("path", [PATH, f"{PATH}/1/rotate"])
def test_making_one_needs_a_fresh_sign_in(new_caller, sign_in, user, path):
    refresh = sign_in(user)["refresh"]
    Session.objects.update(authenticated_at="2026-01-01T00:00:00Z")
    me = new_caller().bear(new_caller().post("/auth/token/refresh", {"refresh": refresh})[1]["data"]["access"])

    status, body = me.post(path, BODY)

    assert (status, body["error"]["code"]) == (403, "REAUTHENTICATION_REQUIRED")
    assert me.get(PATH)[0] == 200


def test_strangers_are_asked_to_sign_in(caller):
    assert [caller.get(PATH)[0], caller.post(PATH, BODY)[0], caller.delete(f"{PATH}/1")[0]] == [401, 401, 401]


def test_the_owner_is_told_by_mail_without_the_key(me, user, drained):
    key = made(me)

    [message] = drained()
    assert message.to == [user.email]
    assert (key["prefix"] in message.body, "Scoreboard" in message.body) == (True, True)
    assert key["key"].rsplit("_", 1)[1] not in message.body + str(message.alternatives)


def test_the_audit_knows_what_was_made_and_revoked(me, user):
    key = made(me)
    me.delete(f"{PATH}/{key['id']}")

    found = AuditEntry.objects.filter(action__startswith="api_key.").order_by("id")
    assert list(found.values_list("action", "subject_id", "person_id", "actor_id")) == [
        ("api_key.made", str(key["id"]), user.pk, user.pk),
        ("api_key.revoked", str(key["id"]), user.pk, user.pk),
    ]
    assert found[0].data["scopes"] == BODY["scopes"]
    assert key["key"] not in str(list(found.values()))


def test_the_list_costs_the_same_for_three_and_for_one(me, user, new_key, django_assert_num_queries):
    new_key(user, "pools:read")
    with django_assert_num_queries(3):
        me.get(PATH)
    new_key(user, "pools:read")
    new_key(user, "pools:read")
    with django_assert_num_queries(3):
        me.get(PATH)


def test_a_call_that_waited_while_the_role_changed_makes_no_key(user, new_key, admin_user):
    """Its token was good when it came, and is not any more once the lock is its own."""
    stale = ApiKey(user=user)
    before = user.token_version
    assign_role(user=user, role=Role.MODERATOR, by=admin_user)
    user.token_version = before

    with pytest.raises(Exception, match="not valid"):
        new_key(user, "pools:read")
    assert stale.pk is None
    assert not ApiKey.objects.exists()
