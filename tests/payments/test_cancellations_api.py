"""Cancelling pools and looking at payouts over HTTP: for finance alone, truthfully described."""

import pytest

from tests.factories.accounts import FinanceFactory
from tests.factories.entries import RequestFactory
from tests.factories.payments import paid_entry
from tests.factories.pools import PoolFactory
from tests.support.calls import call
from tests.support.cancelling import cancelled
from tests.support.winning import booked, paid_out, won_pool

pytestmark = pytest.mark.django_db


@pytest.fixture
def pool():
    pool = PoolFactory()
    paid_entry(RequestFactory(approved=True, pool=pool))
    return pool


def address(pool, step=""):
    return f"/pools/{pool.pk}/cancellation{step}"


REASON = {"reason": "Too few players."}


def test_it_is_proposed_confirmed_by_another_and_watched(api, pool, finance):
    status, made = call(api(finance), "POST", address(pool), REASON)
    assert (status, made["status"], made["pool"], made["proposed_by"]) == (201, "proposed", pool.pk, finance.pk)
    assert len(made["progress"].pop("fingerprint")) == 64
    assert made["progress"] == {
        "places_total": 1, "places_given_back": 0, "pot_cents": 5000, "payments_open": 0, "unapplied": 0, "refunds": [],
    }  # fmt: skip
    assert call(api(finance), "POST", address(pool, "/confirm")) == (403, "FORBIDDEN")
    status, running = call(api(FinanceFactory()), "POST", address(pool, "/confirm"))
    assert (status, running["status"]) == (200, "running")
    status, shown = call(api(finance), "GET", address(pool))
    assert (status, shown["status"], shown["reason"]) == (200, "running", REASON["reason"])
    assert call(api(finance), "POST", address(pool, "/withdraw")) == (409, "INVALID_TRANSITION")


def test_what_was_seen_is_given_back_or_nothing(api, pool, finance):
    seen = call(api(finance), "POST", address(pool), REASON)[1]["progress"]["fingerprint"]
    paid_entry(RequestFactory(approved=True, pool=pool))
    other, path = api(FinanceFactory()), address(pool, "/confirm")
    assert call(other, "POST", path, {"fingerprint": seen}) == (409, "VERSION_CONFLICT")
    now = call(other, "GET", address(pool))[1]
    assert now["status"] == "proposed"
    assert call(other, "POST", path, {"fingerprint": now["progress"]["fingerprint"]})[1]["status"] == "running"


def test_it_is_withdrawn_and_proposed_anew(api, pool, finance):
    call(api(finance), "POST", address(pool), REASON)
    assert call(api(finance), "POST", address(pool), REASON) == (409, "VERSION_CONFLICT")
    status, gone = call(api(finance), "POST", address(pool, "/withdraw"))
    assert (status, gone["status"]) == (200, "withdrawn")
    assert call(api(finance), "GET", address(pool))[1]["status"] == "withdrawn"
    assert call(api(finance), "POST", address(pool), REASON)[1]["status"] == "proposed"


def test_what_is_not_there_and_what_cannot_be_is_refused(api, pool, finance):
    assert call(api(finance), "GET", address(pool)) == (404, "NOT_FOUND")
    assert call(api(finance), "POST", address(pool, "/confirm")) == (404, "NOT_FOUND")
    assert call(api(finance), "POST", "/pools/99999/cancellation", REASON) == (404, "NOT_FOUND")
    assert call(api(finance), "POST", address(pool), {"reason": ""}) == (400, "VALIDATION_ERROR")
    assert call(api(finance), "POST", address(PoolFactory()), REASON) == (409, "INVALID_TRANSITION")


def test_nobody_else_sees_or_does_it(api, pool, moderator, player):
    cancelled(pool)
    for caller in (moderator, player):
        for method, step in (("GET", ""), ("POST", ""), ("POST", "/confirm"), ("POST", "/withdraw")):
            body = REASON if (method, step) == ("POST", "") else None
            assert call(api(caller), method, address(pool, step), body) == (403, "FORBIDDEN")
    assert call(api(), "GET", address(pool)) == (401, "NOT_AUTHENTICATED")


def test_payouts_are_listed_for_finance(api, finance, moderator, django_assert_max_num_queries):
    pool, winner, _ = won_pool()
    booked(pool)
    payout = paid_out(winner)
    status, (shown,) = call(api(finance), "GET", "/payouts", pool=pool.pk, status="paid")
    assert status == 200
    wanted = {
        "id": payout.pk, "pool": pool.pk, "entry": winner.pk, "player": winner.user_id, "status": "paid",
        "amount_cents": 10000, "withheld_cents": 0,
    }  # fmt: skip
    assert {key: shown[key] for key in wanted} == wanted
    assert call(api(finance), "GET", "/payouts", status="returned") == (200, [])
    assert call(api(finance), "GET", f"/payouts/{payout.pk}")[1]["id"] == payout.pk
    assert call(api(finance), "GET", "/payouts/99999") == (404, "NOT_FOUND")
    assert call(api(moderator), "GET", "/payouts") == (403, "FORBIDDEN")
