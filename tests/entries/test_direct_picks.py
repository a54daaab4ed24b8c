"""A plain pick is saved without entering Django, and nothing about it tells."""

import json

import pytest
from django.db import connection, transaction

from accounts.models import Session, User
from config.models import AuditEntry
from entries.models import Entry, Pick, PickChange
from entries.services.slips import is_genuine
from pools.models import Game, GameStatus, Pool
from tests.factories.accounts import UserFactory
from tests.factories.entries import EntryFactory
from tests.factories.pools import PoolFactory, league, lock_round
from tests.support.doors import Door, token_of

pytestmark = pytest.mark.django_db(transaction=True)

CODES = ("ANT", "BAT", "CAT", "DOG", "ELK", "FOX")
# What is new with every answer.
FRESH = ("picked_at", "saved_at", "nonce", "signature", "entry", "timestamp", "request_id")


@pytest.fixture
def pool(db):
    return PoolFactory(competition=league(rounds=4, codes=CODES))


@pytest.fixture
def entry(pool):
    return EntryFactory(in_pool=pool)


def told(said):
    """Without what is new each time; what it is made of, in its order, stays."""

    def plain(value):
        if isinstance(value, dict):
            return {name: "…" if name in FRESH else plain(inner) for name, inner in value.items()}
        return [plain(inner) for inner in value] if isinstance(value, list) else value

    return json.dumps(plain(said.content))


def headers(said):
    new = {"x-request-id", "traceparent", "x-ratelimit-remaining", "x-ratelimit-reset"}
    # `Vary` and the policy are sets that happen to have an order.
    parts = {name: sorted(value.lower().replace(";", ",").split(", ")) for name, value in said.headers.items()}
    return {name: value for name, value in parts.items() if name not in new}


def history(entry):
    return list(
        PickChange.objects.filter(entry_id=entry.pk)
        .order_by("id")
        .values_list("round_id", "slot", "from_team_id", "to_team_id", "source", "actor_id", "reason")
    )


def test_a_plain_pick_is_saved_without_django(direct, entry, token):
    said = direct.put(entry.pk, 1, {"team": "ANT"}, token=token)

    assert (said.status, direct.reached_django) == (200, 0)
    pick = Pick.objects.get()
    slip = said.content["data"]["slip"]
    assert (pick.entry_id, pick.team.code, pick.source, pick.slot) == (entry.pk, "ANT", "player", 1)
    assert is_genuine(slip)
    assert (slip["nonce"], slip["team"], slip["entry"]) == (pick.nonce, "ANT", entry.pk)


def test_what_browsers_phones_and_proxies_say_besides_makes_no_difference(direct, entry, token):
    said = {
        "HTTP_ACCEPT": "application/json, text/plain, */*",
        "HTTP_ACCEPT_ENCODING": "gzip, deflate, br, zstd",
        "HTTP_ACCEPT_LANGUAGE": "de-DE,de;q=0.9",
        "HTTP_CONNECTION": "keep-alive",
        "HTTP_ORIGIN": "http://testserver",
        "HTTP_REFERER": "http://testserver/",
        "HTTP_SEC_CH_UA_PLATFORM": '"Android"',
        "HTTP_SEC_FETCH_SITE": "same-origin",
        "HTTP_TRACEPARENT": "00-" + 32 * "a" + "-" + 16 * "b" + "-01",
        "HTTP_USER_AGENT": "okhttp/4.12.0",
        "HTTP_X_FORWARDED_FOR": "203.0.113.9",
        "HTTP_X_FORWARDED_PROTO": "https",
        "CONTENT_TYPE": "application/json; charset=UTF-8",
    }
    assert direct.put(entry.pk, 1, {"team": "ANT"}, token=token, **said).status == 200
    assert direct.reached_django == 0


def test_it_answers_byte_for_byte_and_header_for_header_what_django_answers(direct, django, pool):
    ours, theirs = EntryFactory(in_pool=pool), EntryFactory(in_pool=pool)
    sent = {"HTTP_X_REQUEST_ID": "abc-1", "HTTP_USER_AGENT": "a phone", "HTTP_ORIGIN": "http://evil.example"}
    ours_said = direct.put(ours.pk, 1, {"team": "ANT"}, token=token_of(ours.user), **sent)
    theirs_said = django.put(theirs.pk, 1, {"team": "ANT"}, token=token_of(theirs.user), **sent)

    assert direct.reached_django == 0
    assert told(ours_said) == told(theirs_said)
    assert headers(ours_said) == headers(theirs_said)
    assert ours_said.headers["x-request-id"] == ours_said.content["meta"]["request_id"] == "abc-1"


def test_what_it_leaves_behind_is_what_django_leaves(direct, django, pool):
    both = [EntryFactory(in_pool=pool) for _ in range(2)]
    for door, entry in zip((direct, django), both, strict=True):
        token = token_of(entry.user)
        for team in ("ANT", "BAT", "BAT", "CAT"):
            assert door.put(entry.pk, 1, {"team": team}, token=token, HTTP_X_REQUEST_ID="same").status == 200

    assert direct.reached_django == 0
    ours, theirs = ([(*row[:5], row[5] == entry.user_id, row[6]) for row in history(entry)] for entry in both)
    assert ours == theirs
    assert len(ours) == 3
    noted = [
        list(
            AuditEntry.objects.filter(subject_type="pick", subject_id=str(entry.pk))
            .order_by("id")
            .values_list("action", "actor_kind", "address", "request_id", "api_key", "reason", "data__round")
        )
        for entry in both
    ]
    assert noted[0] == noted[1]
    assert len(noted[0]) == 3
    assert AuditEntry.objects.filter(subject_type="pick", actor_id=both[0].user_id).count() == 3


def test_the_same_again_changes_nothing_and_shows_the_same_slip(direct, entry, token):
    first = direct.put(entry.pk, 1, {"team": "ANT"}, token=token)
    again = direct.put(entry.pk, 1, {"team": "ANT"}, token=token)

    assert direct.reached_django == 0
    assert again.content["data"] == first.content["data"]
    assert PickChange.objects.count() == 1


def deactivated(entry):
    User.objects.filter(pk=entry.user_id).update(is_active=False)


def with_a_new_password(entry):
    User.objects.filter(pk=entry.user_id).update(token_version=entry.user.token_version + 1)


def signed_out(entry):
    Session.objects.filter(user=entry.user_id).update(revoked_at="2026-01-01T00:00Z", revoked_because="signed_out")


@pytest.mark.parametrize("is_direct", [True, False])
@pytest.mark.parametrize("ended", [deactivated, with_a_new_password, signed_out])
def test_a_token_that_ended_is_refused_with_the_very_next_call(entry, token, ended, is_direct):
    door = Door(is_direct=is_direct)
    assert door.put(entry.pk, 1, {"team": "ANT"}, token=token).status == 200
    ended(entry)

    said = door.put(entry.pk, 1, {"team": "BAT"}, token=token)

    assert (said.status, said.code) == (401, "TOKEN_INVALID")
    assert Pick.objects.get().team.code == "ANT"


def test_staff_without_a_second_factor_is_refused_where_one_is_required(direct, entry, token, settings):
    settings.STAFF_TOTP_REQUIRED = True
    assert direct.put(entry.pk, 1, {"team": "ANT"}, token=token).status == 200
    User.objects.filter(pk=entry.user_id).update(role="moderator", is_staff=True)

    assert direct.put(entry.pk, 1, {"team": "BAT"}, token=token).status == 401
    assert Pick.objects.get().team.code == "ANT"


@pytest.mark.parametrize(
    ("body", "extra"),
    [
        (b'{"team": "ANT", "team": "BAT"}', {}),
        (b'{"teams": ["ANT"]}', {}),
        (b'{"team": "ANT", "round": 1}', {}),
        (b'{"team": "A\\u004eT"}', {}),
        (b'{"team": " ANT"}', {}),
        (b'{"team": null}', {}),
        (b"[]", {}),
        (b"", {}),
        (b'{"team": "ANT"}', {"HTTP_IF_MATCH": '"1"'}),
        (b'{"team": "ANT"}', {"HTTP_IDEMPOTENCY_KEY": "a" * 20}),
        (b'{"team": "ANT"}', {"HTTP_COOKIE": "outlast_staff=1"}),
        (b'{"team": "ANT"}', {"HTTP_X_HTTP_METHOD_OVERRIDE": "DELETE"}),
        (b'{"team": "ANT"}', {"HTTP_CONTENT_ENCODING": "gzip"}),
        (b'{"team": "ANT"}', {"HTTP_ACCEPT": "text/csv"}),
        (b'{"team": "ANT"}', {"QUERY_STRING": "x=1"}),
        (b'{"team": "ANT"}', {"CONTENT_TYPE": "text/plain"}),
        (b'{"team": "ANT"}', {"HTTP_HOST": "somewhere.else"}),
        (b'{"team": "ANT"}', {"HTTP_AUTHORIZATION": "Api-Key ol_x"}),
        (b'{"team": "ANT"}', {"HTTP_AUTHORIZATION": "Bearer a.b.c"}),
    ],
)
def test_what_is_not_plain_is_answered_by_django(direct, django, entry, token, body, extra):
    sent = {"HTTP_AUTHORIZATION": f"Bearer {token}", **extra}
    ours = direct.put(entry.pk, 1, body, **sent)
    assert direct.reached_django == 1
    connection.cursor().execute("SET session_replication_role = replica")
    Pick.objects.all().delete()
    connection.cursor().execute("SET session_replication_role = origin")
    theirs = django.put(entry.pk, 1, body, **sent)

    assert (ours.status, told(ours), headers(ours)) == (theirs.status, told(theirs), headers(theirs))


def test_a_strangers_entry_is_not_there(direct, entry):
    said = direct.put(entry.pk, 1, {"team": "ANT"}, token=token_of(UserFactory()))
    assert (said.status, said.code) == (404, "NOT_FOUND")


def test_nothing_is_saved_inside_somebody_elses_transaction(direct, entry, token):
    """A statement of its own would wait for it, or come undone with it."""
    with transaction.atomic():
        direct.put(entry.pk, 1, {"team": "ANT"}, token=token)
    assert direct.reached_django == 1


def suspended(entry):
    Pool.objects.filter(pk=entry.pool_id).update(suspended_may_pick=False)
    Entry.objects.filter(pk=entry.pk).update(is_suspended=True)


def locked(entry):
    lock_round(entry.pool.competition.rounds.get(number=1))


def off(entry):
    Game.objects.filter(round__number=1, home__code="ANT").update(status=GameStatus.CANCELLED)


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (suspended, "ENTRY_SUSPENDED"),
        (locked, "DEADLINE_PASSED"),
        (off, "TEAM_NOT_PLAYING"),
    ],
)
def test_a_refusal_is_djangos(direct, entry, token, spoil, code):
    spoil(entry)
    said = direct.put(entry.pk, 1, {"team": "ANT"}, token=token)
    assert (said.status, said.code, direct.reached_django) == (422, code, 1)
    assert not Pick.objects.exists()


def test_a_team_that_was_used_is_refused(direct, entry, token):
    assert direct.put(entry.pk, 1, {"team": "ANT"}, token=token).status == 200
    assert direct.put(entry.pk, 2, {"team": "ANT"}, token=token).code == "TEAM_ALREADY_USED"
    assert Pick.objects.count() == 1


def test_a_lost_connection_costs_nobody_a_pick(direct, entry, token):
    assert direct.put(entry.pk, 1, {"team": "ANT"}, token=token).status == 200
    here = connection.connection.info.backend_pid
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [here])
    other.close()

    said = direct.put(entry.pk, 1, {"team": "BAT"}, token=token)

    assert said.status == 200
    assert Pick.objects.get().team.code == "BAT"
    assert direct.put(entry.pk, 1, {"team": "CAT"}, token=token).status == 200
    assert direct.reached_django == 1


def test_a_statement_that_the_server_forgot_is_prepared_again(direct, entry, token):
    assert direct.put(entry.pk, 1, {"team": "ANT"}, token=token).status == 200
    with connection.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")

    assert [direct.put(entry.pk, 1, {"team": team}, token=token).status for team in ("BAT", "CAT")] == [200, 200]
    assert direct.reached_django == 1
