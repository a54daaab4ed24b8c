"""Many requests decided in one go: each as by itself, and no place too many."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.clock import database_now
from config.models import OutboxMessage
from entries.models import Request
from entries.services.decisions import MOST_AT_ONCE, approve_requests, reject_requests
from tests.factories.accounts import ModeratorFactory
from tests.factories.entries import RequestFactory
from tests.factories.pools import PoolFactory
from tests.support.calls import call, respond
from tests.support.refusals import refused

pytestmark = pytest.mark.django_db
MISSING = 4711


def told(decisions):
    return [(one.request_id, one.refusal and one.refusal.code) for one in decisions]


def statuses(*requests):
    return [Request.objects.get(pk=request.pk).status for request in requests]


def approve(by, *ids):
    return told(approve_requests(request_ids=ids, by=by, now=database_now()))


def test_each_is_answered_in_the_order_asked(moderator):
    pool = PoolFactory()
    one, own, decided, other = (
        RequestFactory(pool=pool), RequestFactory(pool=pool, user=moderator), RequestFactory(pool=pool, approved=True),
        RequestFactory(pool=PoolFactory()),
    )  # fmt: skip
    assert approve(moderator, other.pk, MISSING, own.pk, decided.pk, one.pk) == [
        (other.pk, None), (MISSING, "NOT_FOUND"), (own.pk, "FORBIDDEN"), (decided.pk, "INVALID_TRANSITION"),
        (one.pk, None),
    ]  # fmt: skip
    assert statuses(one, own, other) == ["approved", "pending", "approved"]
    mails = OutboxMessage.objects.filter(kind="mail.request_approved").values_list("payload__request", flat=True)
    assert set(mails) == {one.pk, other.pk}


def test_places_go_to_those_who_are_named_first(moderator):
    pool = PoolFactory(capacity=2)
    first, second, third = (RequestFactory(pool=pool) for _ in range(3))
    assert approve(moderator, third.pk, first.pk, second.pk) == [
        (third.pk, None), (first.pk, None), (second.pk, "POOL_FULL"),
    ]  # fmt: skip
    assert pool.requests.holding_a_place().count() == 2


def test_all_who_are_rejected_read_the_same_reason(moderator):
    one, other = RequestFactory(), RequestFactory()
    decisions = reject_requests(request_ids=[one.pk, other.pk], by=moderator, now=database_now(), reason=" Too late. ")
    assert told(decisions) == [(one.pk, None), (other.pk, None)]
    assert set(Request.objects.values_list("status", "reason", "decided_by")) == {
        ("rejected", "Too late.", moderator.pk)
    }


def test_nobody_is_rejected_without_a_reason_nor_twice(moderator):
    request, now = RequestFactory(), database_now()
    assert refused(reject_requests, request_ids=[request.pk], by=moderator, now=now, reason=" ") == "VALIDATION_ERROR"
    assert refused(approve_requests, request_ids=[request.pk] * 2, by=moderator, now=now) == "VALIDATION_ERROR"
    too_many = range(1, MOST_AT_ONCE + 2)
    assert refused(approve_requests, request_ids=list(too_many), by=moderator, now=now) == "VALIDATION_ERROR"
    assert statuses(request) == ["pending"]


class TestOverTheApi:
    def test_the_answers_hold_the_requests_as_they_stand(self, api, moderator):
        one, own = RequestFactory(), RequestFactory(user=moderator)
        status, (first, second, third) = call(
            api(moderator), "POST", "/requests/approve", {"requests": [one.pk, own.pk, MISSING]}
        )
        assert (status, first["id"], first["decided"], first["error"]) == (200, one.pk, True, None)
        assert (first["request"]["status"], first["request"]["payment_status"]) == ("approved", "pending")
        assert (second["decided"], second["error"]["code"]) == (False, "FORBIDDEN")
        assert second["request"]["status"] == "pending"
        assert (third["request"], third["error"]["code"]) == (None, "NOT_FOUND")

    def test_a_rejection_shows_its_reason(self, api, moderator):
        request = RequestFactory()
        body = {"requests": [request.pk], "reason": "Not from here."}
        _, [answer] = call(api(moderator), "POST", "/requests/reject", body)
        assert (answer["request"]["status"], answer["request"]["reason"]) == ("rejected", "Not from here.")

    @pytest.mark.parametrize(
        ("path", "body", "field"),
        [
            ("approve", {}, "requests"),
            ("approve", {"requests": []}, "requests"),
            ("approve", {"requests": [1, 1]}, "requests"),
            ("approve", {"requests": [0]}, "requests.0"),
            ("approve", {"requests": list(range(1, 102))}, "requests"),
            ("approve", {"requests": [1], "reason": "Why?"}, "reason"),
            ("reject", {"requests": [1]}, "reason"),
            ("reject", {"requests": [1], "reason": " "}, "reason"),
        ],
    )
    def test_what_cannot_be_meant_is_refused_as_a_whole(self, api, moderator, path, body, field):
        answer = respond(api(moderator), "POST", f"/requests/{path}", body)
        assert (answer.status_code, list(answer.json()["error"]["details"])) == (400, [field])

    @pytest.mark.parametrize("path", ["approve", "reject"])
    @pytest.mark.parametrize("who", ["player", "finance"])
    def test_only_moderators_decide(self, api, who, path, request):
        caller = api(request.getfixturevalue(who))
        body = {"requests": [RequestFactory().pk], "reason": "x"}
        assert call(caller, "POST", f"/requests/{path}", body) == (403, "FORBIDDEN")
        assert call(api(), "POST", f"/requests/{path}", body) == (401, "NOT_AUTHENTICATED")

    def test_the_same_key_decides_once(self, api, moderator):
        client, asked = api(moderator), {"requests": [RequestFactory().pk]}
        key = {"HTTP_IDEMPOTENCY_KEY": "batch 1"}
        first, again = (client.post("/api/v1/requests/approve", asked, **key) for _ in range(2))
        assert (first.content, again["Idempotent-Replayed"]) == (again.content, "true")
        assert again.json()["data"][0]["decided"] is True

    def test_looking_at_the_answers_costs_the_same_for_three_as_for_one(self, api):
        costs = []
        for number in (1, 3):
            missing = list(range(MISSING, MISSING + number))
            client = api(ModeratorFactory())
            with CaptureQueriesContext(connection) as queries:
                client.post("/api/v1/requests/approve", {"requests": missing})
            costs.append(len(queries))
        assert costs[0] == costs[1]
