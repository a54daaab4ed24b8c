"""Pools, as anybody reads them and as moderators run them."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.api.parameters import EMPTY
from config.clock import database_now
from pools.models import Pool, PoolChange, PoolStatus
from pools.services.rules import sentences
from tests.factories.entries import EntryFactory, RequestFactory
from tests.factories.payments import paid_entry
from tests.factories.pools import PoolFactory, league, lock_round, play_round
from tests.support.calls import call, respond

pytestmark = pytest.mark.django_db

PROMISED = (
    "id", "name", "competition", "status", "entry_fee_cents", "currency", "capacity", "max_entries_per_user",
    "registration_closes_at", "current_round", "entries_total", "entries_active", "pot_cents", "rules",
)  # fmt: skip
ROUND_NUMBERS = ("picks_total", "missed", "eliminated", "alive_after", "merkle_root")


def names(client, **query):
    status, data = call(client, "GET", "/pools", **query)
    return [pool["name"] for pool in data] if status == 200 else (status, data)


# --- Reading ----------------------------------------------------------------------------------------------------------


def test_a_pool_shows_what_the_contract_promises(api):
    pool = PoolFactory(name="Main", capacity=10, rules={"strikes": 1})
    for _ in range(2):
        paid_entry(RequestFactory(approved=True, pool=pool))
    status, data = call(api(), "GET", f"/pools/{pool.pk}")
    assert status == 200
    assert set(PROMISED) <= set(data)
    assert (data["name"], data["competition"], data["status"]) == ("Main", pool.competition.code, "open")
    assert (data["entry_fee_cents"], data["currency"], data["capacity"]) == (5000, "usd", 10)
    assert (data["entries_total"], data["entries_active"], data["pot_cents"]) == (2, 2, 10_000)
    assert (data["paid_count"], data["value_per_entry_cents"]) == (2, 5000)
    assert (data["current_round"], data["first_round"], data["last_round"]) == (1, 1, 3)
    locks_at = pool.competition.rounds.get(number=1).locks_at
    assert data["registration_closes_at"] == f"{locks_at:%Y-%m-%dT%H:%M:%S.%fZ}"
    assert data["rules"].pop("text") == sentences(pool.rules_versions.get(), pool)
    assert data["rules"] == {
        "version": 1, "effective_round": 1, "lock": "round", "strikes": 1, "tie": "loss", "missed_pick": "eliminate",
        "missed_pick_then": "eliminate", "cancelled_game": "loss", "picks_per_round": 1, "two_pick_rounds": [],
        "reuse_limit": 1, "reuse_reset_round": None, "all_out": "split", "last_round": "split",
        "late_entry_until": None, "late_entry_strikes": False, "buy_back_until": None, "buy_back_limit": 0,
        "buy_back_fee_cents": 0, "payout": "equal", "payout_table": [], "house_fee_bp": 0,
    }  # fmt: skip


def test_the_list_has_the_same_items_newest_first(api):
    first, second = PoolFactory(), PoolFactory()
    body = respond(api(), "GET", "/pools").json()
    assert [pool["id"] for pool in body["data"]] == [second.pk, first.pk]
    assert body["data"][1] == call(api(), "GET", f"/pools/{first.pk}")[1]
    assert body["meta"]["pagination"] == {"page": 1, "limit": 20, "total": 2, "next_cursor": None}


def test_the_list_is_filtered_by_status_competition_and_name(api):
    competition = league(code="cup-2026")
    PoolFactory(name="Survivor A", competition=competition)
    PoolFactory(name="Survivor B", status=PoolStatus.RUNNING)
    PoolFactory(name="100 % fun_pool")
    assert names(api(), status="running") == ["Survivor B"]
    assert names(api(), competition="cup-2026") == ["Survivor A"]
    assert names(api(), competition="cup-1920") == []
    assert names(api(), search="survivor") == ["Survivor B", "Survivor A"]
    assert names(api(), search="% fun_") == ["100 % fun_pool"]
    assert names(api(), search="survivor", status="open") == ["Survivor A"]
    assert len(names(api(), search="")) == 3


def test_a_filter_without_a_value_is_refused(api):
    answer = api().get("/api/v1/pools?status=&competition=&search=")
    told = {name: [EMPTY] for name in ("competition", "status")}
    assert (answer.status_code, answer.json()["error"]["details"]) == (400, told)


@pytest.mark.parametrize(
    "query", [{"status": "closed"}, {"search": "x" * 101}, {"competition": "cup 2026"}, {"page": "0"}, {"limit": "101"}]
)
def test_a_filter_that_cannot_be_is_refused(api, query):
    assert names(api(), **query) == (400, "VALIDATION_ERROR")


def test_drafts_are_there_for_staff_alone(api, player, moderator, finance, admin_user):
    draft = PoolFactory(status=PoolStatus.DRAFT)
    for caller in (api(), api(player)):
        assert names(caller) == []
        assert names(caller, status="draft") == []
        for path in ("", "/rounds", "/rounds/1"):
            assert call(caller, "GET", f"/pools/{draft.pk}{path}") == (404, "NOT_FOUND")
    for staff in (moderator, finance, admin_user):
        assert names(api(staff), status="draft") == [draft.name]
        assert call(api(staff), "GET", f"/pools/{draft.pk}")[0] == 200


def test_a_pool_that_is_not_there_is_not_found(api, db):
    for path in ("/pools/99", "/pools/99/rounds", "/pools/999999999999999999/rounds/1", "/pools/x"):
        assert call_any(api(), path) == (404, "NOT_FOUND")


def call_any(client, path):
    answer = client.get(f"/api/v1{path}")
    return answer.status_code, answer.json()["error"]["code"]


def test_rounds_are_the_pools_own_with_numbers_after_the_lock(api):
    pool = PoolFactory(first_round_number=2, last_round_number=3)
    EntryFactory(in_pool=pool)
    play_round(pool.competition.rounds.get(number=2), winners=set())
    status, data = call(api(), "GET", f"/pools/{pool.pk}/rounds")
    assert status == 200
    assert [(one["number"], one["status"]) for one in data] == [(2, "final"), (3, "upcoming")]
    assert (data[0]["picks_total"], data[0]["missed"]) == (0, 1)
    assert [data[1][name] for name in ROUND_NUMBERS] == [None] * 5
    assert len(data[0]["games"]) == 2
    for one in data:
        assert call(api(), "GET", f"/pools/{pool.pk}/rounds/{one['number']}") == (200, one)


@pytest.mark.parametrize("number", ["1", "4", "0", "9999"])
def test_a_round_that_the_pool_does_not_play_is_not_found(api, number):
    pool = PoolFactory(first_round_number=2, last_round_number=3)
    assert call(api(), "GET", f"/pools/{pool.pk}/rounds/{number}") == (404, "NOT_FOUND")


def test_a_list_costs_the_same_for_one_row_and_for_three(api):
    def queries(path):
        # Whoever looks first after a lock reveals the round, once for all.
        call(api(), "GET", path)
        with CaptureQueriesContext(connection) as seen:
            assert call(api(), "GET", path)[0] == 200
        return len(seen)

    def counts(pool):
        return queries("/pools"), queries(f"/pools/{pool.pk}"), queries(f"/pools/{pool.pk}/rounds")

    one = EntryFactory(in_pool=PoolFactory(competition=league(rounds=1, first_kickoff_in=timedelta(hours=-3)))).pool
    first = counts(one)
    three = EntryFactory(in_pool=PoolFactory(competition=league(rounds=3, first_kickoff_in=timedelta(days=-30)))).pool
    PoolFactory()
    assert counts(three) == first


# --- Making and running ----------------------------------------------------------------------------------------------


@pytest.fixture
def body():
    league(code="cup-2026")
    return {"competition": "cup-2026", "name": "Main", "entry_fee_cents": 5000, "rules": {"tie": "win", "strikes": 1}}


def test_a_moderator_makes_a_draft_and_opens_it(api, moderator, body):
    status, made = call(api(moderator), "POST", "/pools", body)
    assert (status, made["status"], made["rules"]["tie"], made["rules"]["strikes"]) == (201, "draft", "win", 1)
    status, opened = call(api(moderator), "POST", f"/pools/{made['id']}/publish")
    assert (status, opened["status"]) == (200, "open")
    assert call(api(moderator), "POST", f"/pools/{made['id']}/publish") == (409, "INVALID_TRANSITION")
    assert set(PoolChange.objects.values_list("actor_id", flat=True)) == {moderator.pk}


def test_every_field_of_the_body_reaches_the_pool(api, admin_user, body):
    closes_at = (database_now() + timedelta(hours=2)).replace(microsecond=0)
    sent = body | {
        "description": "For all.", "currency": "EUR", "capacity": 100, "max_entries_per_user": 5, "first_round": 1,
        "last_round": 2, "pay_within_hours": 24, "minimum_age": 21, "countries": ["de", "AT"],
        "suspended_may_pick": False, "chargeback_bearer": "pot",
        "registration_closes_at": f"{closes_at:%Y-%m-%dT%H:%M:%SZ}",
    }  # fmt: skip
    status, made = call(api(admin_user), "POST", "/pools", sent)
    assert status == 201
    expected = sent | {"currency": "eur", "countries": ["DE", "AT"]}
    del expected["rules"]
    assert {key: made[key] for key in expected} == expected


@pytest.mark.parametrize(
    ("change", "details"),
    [
        ({"rules": {"tie": "draw"}}, {"rules.tie": ["Must be one of loss, win, void."]}),
        ({"rules": {"late_entry_until": 4}}, {"rules.late_entry_until": ["The pool does not play round 4."]}),
        ({"rules": {"strikes": "many"}}, {"rules.strikes": ["Must be a whole number from 0 to 20."]}),
        ({"rules": {"missed_pick_then": "favourite"}}, None),
        ({"rules": {"stirkes": 1}}, None),
        ({"rules": [1]}, {"rules": ["Must be an object of switches."]}),
        ({"competition": "cup-1920"}, {"competition": ["There is no such competition."]}),
        ({"name": ""}, {"name": ["This field may not be blank."]}),
        ({"last_round": 9}, {"last_round_number": ["cup-2026 has no round 9; it has 1 to 3."]}),
        ({"capacity": 0}, {"capacity": ["Must be from 1 to 10000000."]}),
    ],
)
def test_a_pool_that_cannot_be_is_refused_by_field(api, moderator, body, change, details):
    answer = respond(api(moderator), "POST", "/pools", body | change)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "VALIDATION_ERROR")
    if details is None:
        [key] = change["rules"]
        assert list(error["details"]) == [f"rules.{key}"]
    else:
        assert error["details"] == details
    assert not Pool.objects.exists()


def test_publishing_a_pool_that_nobody_could_join_is_refused(api, moderator):
    pool = PoolFactory(status=PoolStatus.DRAFT)
    lock_round(pool.competition.rounds.get(number=1))
    assert call(api(moderator), "POST", f"/pools/{pool.pk}/publish") == (422, "POOL_CLOSED")


def test_a_pool_is_cancelled_with_a_reason(api, moderator):
    pool = PoolFactory()
    assert call(api(moderator), "POST", f"/pools/{pool.pk}/cancel", {}) == (400, "VALIDATION_ERROR")
    status, data = call(api(moderator), "POST", f"/pools/{pool.pk}/cancel", {"reason": "Too few."})
    assert (status, data["status"]) == (200, "cancelled")
    assert PoolChange.objects.latest("id").reason == "Too few."
    assert call(api(moderator), "POST", f"/pools/{pool.pk}/cancel", {"reason": "x"}) == (409, "INVALID_TRANSITION")


def test_a_pool_with_entries_is_not_cancelled(api, moderator):
    pool = EntryFactory().pool
    assert call(api(moderator), "POST", f"/pools/{pool.pk}/cancel", {"reason": "x"}) == (409, "INVALID_TRANSITION")


def test_the_same_key_makes_one_pool(api, moderator, body):
    client = api(moderator)
    answers = [client.post("/api/v1/pools", body, headers={"Idempotency-Key": "once"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].content == answers[1].content
    assert Pool.objects.count() == 1


def test_only_moderators_and_admins_run_pools(api, player, finance, body):
    draft = PoolFactory(status=PoolStatus.DRAFT)
    calls = [("/pools", body), (f"/pools/{draft.pk}/publish", None), (f"/pools/{draft.pk}/cancel", {"reason": "x"})]
    for path, data in calls:
        assert call(api(), "POST", path, data) == (401, "NOT_AUTHENTICATED")
        assert call(api(player), "POST", path, data) == (403, "FORBIDDEN")
        assert call(api(finance), "POST", path, data) == (403, "FORBIDDEN")
    assert list(Pool.objects.values_list("status", flat=True)) == ["draft"]
