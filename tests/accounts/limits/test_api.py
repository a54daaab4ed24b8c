"""`/me/exclusions` and `/me/spending-limits`, as players call them."""

from datetime import datetime, timedelta

import pytest

from accounts.models import Exclusion, SpendingLimit
from accounts.services.exclusions import exclude_player
from tests.support.calls import call

EXCLUSIONS, LIMITS = "/me/exclusions", "/me/spending-limits"


@pytest.fixture
def client(api, user):
    return api(user)


def exclude(client, **body):
    return call(client, "POST", EXCLUSIONS, body)


def put(client, amount_cents, currency="usd"):
    return call(client, "PUT", LIMITS, {"currency": currency, "amount_cents": amount_cents})


def parsed(text):
    return datetime.fromisoformat(text)


def test_a_cooling_off_is_told_with_its_end(client):
    status, data = exclude(client, kind="cooling_off", days=7)

    assert status == 201
    assert set(data) == {"id", "kind", "begins_at", "until", "reason"}
    assert (data["kind"], data["reason"]) == ("cooling_off", "")
    assert parsed(data["until"]) - parsed(data["begins_at"]) == timedelta(days=7)
    assert call(client, "GET", EXCLUSIONS) == (200, [data])


def test_a_self_exclusion_may_be_for_good(client):
    status, data = exclude(client, kind="self_exclusion", days=None)

    assert (status, data["until"]) == (201, None)


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "self_exclusion"},
        {"kind": "cooling_off", "days": None},
        {"kind": "cooling_off", "days": 43},
        {"kind": "self_exclusion", "days": 30},
        {"kind": "staff", "days": 30},
        {"days": 30},
        {"kind": "cooling_off", "days": "soon"},
        {"kind": "cooling_off", "days": 10**20},
    ],
)
def test_nonsense_begins_nothing(client, body):
    assert exclude(client, **body)[0] == 400
    assert not Exclusion.objects.exists()


def test_nobody_writes_more_than_kind_and_days(client, user, stranger):
    others = {"user": stranger.pk, "until": "2026-01-01T00:00:00Z", "by": stranger.pk, "id": 1}

    assert exclude(client, kind="cooling_off", days=1, **others) == (400, "VALIDATION_ERROR")
    assert not Exclusion.objects.exists()


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_there_is_no_way_back(client, method):
    exclude(client, kind="cooling_off", days=7)

    path = f"/api/v1{EXCLUSIONS}"
    assert getattr(client, method)(path, {}, format="json").status_code == 405
    assert getattr(client, method)(f"{path}/{Exclusion.objects.get().pk}", {}, format="json").status_code == 404
    assert Exclusion.objects.count() == 1


def test_what_staff_decided_is_told_with_its_reason(client, user, moderator):
    exclude_player(user=user, days=None, by=moderator, reason="a court")

    (data,) = call(client, "GET", EXCLUSIONS)[1]
    assert (data["kind"], data["reason"], data["until"]) == ("staff", "a court", None)


def test_others_do_not_see_it(client, api, stranger):
    exclude(client, kind="cooling_off", days=7)

    assert call(api(stranger), "GET", EXCLUSIONS) == (200, [])


@pytest.mark.parametrize("path", [EXCLUSIONS, LIMITS])
def test_nobody_comes_in_without_a_sign_in(api, db, path):
    assert call(api(), "GET", path) == (401, "NOT_AUTHENTICATED")


def test_the_same_key_excludes_once(client):
    for _ in range(2):
        answer = client.post(
            "/api/v1/me/exclusions",
            {"kind": "cooling_off", "days": 7},
            format="json",
            headers={"Idempotency-Key": "one-exclusion-of-mine"},
        )
        assert answer.status_code == 201

    assert Exclusion.objects.count() == 1


def test_without_a_limit_there_is_none_to_show(client):
    assert call(client, "GET", LIMITS) == (200, {"limits": []})


def test_a_limit_is_told_with_what_is_left(client):
    status, data = put(client, 10_000)

    assert status == 200
    assert data | {"month_ends_at": ""} == {
        "currency": "usd", "amount_cents": 10_000, "spent_cents": 0, "left_cents": 10_000, "month_ends_at": "",
        "pending": None,
    }  # fmt: skip
    assert call(client, "GET", LIMITS) == (200, {"limits": [data]})


def test_a_higher_one_is_told_as_waiting(client):
    put(client, 10_000)

    status, data = put(client, None)

    assert (status, data["amount_cents"], data["pending"]["amount_cents"]) == (200, 10_000, None)
    assert parsed(data["pending"]["effective_at"]) == SpendingLimit.objects.first().effective_at
    assert put(client, 20_000) == (409, "LIMIT_PENDING")
    assert put(client, 10_000)[1]["pending"] is None


def test_currencies_stand_side_by_side(client):
    put(client, 10_000, "USD")
    put(client, 500, "eur")

    limits = call(client, "GET", LIMITS)[1]["limits"]
    assert [(one["currency"], one["amount_cents"]) for one in limits] == [("eur", 500), ("usd", 10_000)]


@pytest.mark.parametrize(
    "body",
    [
        {"currency": "usd"},
        {"amount_cents": 100},
        {"currency": "zzz", "amount_cents": 100},
        {"currency": "dollars", "amount_cents": 100},
        {"currency": "usd", "amount_cents": -1},
        {"currency": "usd", "amount_cents": "much"},
        {"currency": "usd", "amount_cents": 10**30},
    ],
)
def test_nonsense_limits_nothing(client, body):
    assert call(client, "PUT", LIMITS, body)[0] == 400
    assert not SpendingLimit.objects.exists()


def test_own_data_has_both(client, user):
    exclude(client, kind="cooling_off", days=7)
    put(client, 10_000)

    data = call(client, "GET", "/me/export")[1]
    assert [one["kind"] for one in data["exclusions"]] == ["cooling_off"]
    assert [(one["currency"], one["amount_cents"]) for one in data["spending_limits"]] == [("usd", 10_000)]
