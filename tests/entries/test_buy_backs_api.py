"""Buying back in through the API."""

import pytest

from entries.models import Entry, Request
from tests.factories.pools import lock_round
from tests.support.buying_back import ROUNDS, ask, fallen_in, generous_pool, lock_of
from tests.support.calls import call

pytestmark = pytest.mark.django_db


@pytest.fixture
def pool():
    return generous_pool()


@pytest.fixture
def fallen(pool, player):
    return fallen_in(pool, owner=player)


class TestApi:
    def test_it_answers_201_with_every_field(self, api, pool, fallen, player):
        status, data = call(api(player), "POST", f"/entries/{fallen.pk}/buy-back")
        request = Request.objects.get(kind="buy_back")
        assert status == 201
        kept = ("id", "kind", "status", "payment_status", "fee_cents", "currency", "number", "entry", "bought_entry")
        assert {key: data[key] for key in (*kept, "fell_in_round", "resumes_round", "pay_by")} == {
            "id": request.pk, "kind": "buy_back", "status": "approved", "payment_status": "pending",
            "fee_cents": 2500, "currency": "usd", "number": 1, "entry": None, "bought_entry": fallen.pk,
            "fell_in_round": 1, "resumes_round": 2,
            "pay_by": lock_of(pool, 2).isoformat().replace("+00:00", "Z"),
        }  # fmt: skip
        assert call(api(player), "POST", f"/entries/{fallen.pk}/buy-back") == (201, data)
        assert call(api(player), "GET", f"/requests/{request.pk}") == (200, data)

    def test_the_same_key_replays_the_answer(self, api, fallen, player):
        path, key = f"/api/v1/entries/{fallen.pk}/buy-back", {"Idempotency-Key": "once"}
        first, second = (api(player).post(path, headers=key) for _ in range(2))
        assert (second.content, second.headers["Idempotent-Replayed"]) == (first.content, "true")

    def test_a_stranger_and_staff_get_404(self, api, fallen, stranger, moderator):
        for user in (stranger, moderator):
            assert call(api(user), "POST", f"/entries/{fallen.pk}/buy-back") == (404, "NOT_FOUND")

    def test_nobody_gets_401(self, api, fallen):
        assert call(api(), "POST", f"/entries/{fallen.pk}/buy-back")[0] == 401

    def test_a_refusal_says_why(self, api, pool, fallen):
        living = Entry.objects.filter(pool=pool, status="active").first()
        answer = api(living.user).post(f"/api/v1/entries/{living.pk}/buy-back")
        assert answer.status_code == 422
        assert answer.json()["error"]["code"] == "BUY_BACK_NOT_ALLOWED"
        assert answer.json()["error"]["details"] == {"because": "not_eliminated"}

    def test_a_round_that_has_just_locked_is_told(self, api, pool, fallen, player):
        for number in range(2, ROUNDS + 1):
            lock_round(pool.competition.rounds.get(number=number))
        assert call(api(player), "POST", f"/entries/{fallen.pk}/buy-back") == (422, "DEADLINE_PASSED")

    def test_requests_are_listed_by_kind(self, api, fallen, player):
        request = ask(fallen)
        _, data = call(api(player), "GET", "/requests", kind="buy_back")
        assert [row["id"] for row in data] == [request.pk]
        _, data = call(api(player), "GET", "/requests", kind="entry")
        assert [row["id"] for row in data] == [fallen.request_id]

    def test_staff_can_neither_approve_nor_reject_it(self, api, fallen, moderator):
        request = ask(fallen)
        assert call(api(moderator), "POST", f"/requests/{request.pk}/approve") == (409, "INVALID_TRANSITION")
        body = {"reason": "No."}
        assert call(api(moderator), "POST", f"/requests/{request.pk}/reject", body) == (409, "INVALID_TRANSITION")
