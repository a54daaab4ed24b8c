"""The calls about requests, as their callers meet them."""

from datetime import timedelta

import pytest

from config.clock import database_now
from entries.models import Request
from entries.services.approvals import waitlist_request
from tests.factories.accounts import UserFactory
from tests.factories.entries import EntryFactory, RequestFactory
from tests.factories.pools import PoolFactory
from tests.support import contract

pytestmark = pytest.mark.django_db

URLS = "config.urls"
LIST = "/api/v1/requests"


@pytest.fixture
def pool():
    return PoolFactory()


@pytest.fixture
def check():
    """Compare an answer with the schema, then give its status and its code, or its data."""

    def judge(method, path, answer):
        assert contract.faults(URLS, method, path, answer) == []
        body = answer.json()
        return answer.status_code, body["data"] if body["success"] else body["error"]["code"]

    return judge


@pytest.fixture
def post(api, check):
    def call(user, path, data=None, **headers):
        return check("POST", path, api(user).post(path, data, **headers))

    return call


@pytest.fixture
def get(api, check):
    def call(caller, path, **query):
        return check("GET", path, api(caller).get(path, query))

    return call


def asking(pool):
    return f"/api/v1/pools/{pool.pk}/requests"


def act(request, name):
    return f"{LIST}/{request.pk}/{name}"


def test_asking_answers_201_with_every_field(post, pool, player):
    status, data = post(player, asking(pool))
    request = Request.objects.get()
    created_at = request.created_at.isoformat().replace("+00:00", "Z")
    assert status == 201
    assert data == {
        "id": request.pk, "kind": "entry", "pool": pool.pk, "user": player.pk, "number": 1, "status": "pending",
        "payment_status": "not_due", "fee_cents": None, "currency": None, "reason": "", "pay_by": None,
        "created_at": created_at, "decided_at": None, "entry": None, "bought_entry": None, "fell_in_round": None,
        "resumes_round": None, "waiting_list_position": None,
    }  # fmt: skip


def test_asking_says_where_the_request_is(api, pool, player):
    answer = api(player).post(asking(pool))
    assert answer["Location"] == f"/api/v1/requests/{Request.objects.get().pk}"


def test_the_same_key_asks_once(api, pool, player):
    first, second = (api(player).post(asking(pool), headers={"Idempotency-Key": "k1"}) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert (second.content, second["Idempotent-Replayed"]) == (first.content, "true")
    assert Request.objects.count() == 1


def test_asking_beyond_the_limit_is_a_conflict(post, player):
    pool = PoolFactory(max_entries_per_user=1)
    post(player, asking(pool))
    assert post(player, asking(pool)) == (409, "REQUEST_LIMIT_REACHED")


@pytest.mark.parametrize(
    ("fields", "user", "answer"),
    [
        ({"status": "running"}, {}, (422, "POOL_CLOSED")),
        ({"status": "draft"}, {}, (404, "NOT_FOUND")),
        ({}, {"email_verified_at": None}, (403, "EMAIL_NOT_VERIFIED")),
        ({"minimum_age": 99}, {}, (403, "NOT_ELIGIBLE")),
        ({"countries": ["CA"]}, {}, (403, "NOT_ELIGIBLE")),
    ],
)
def test_asking_in_vain(post, fields, user, answer):
    assert post(UserFactory(**user), asking(PoolFactory(**fields))) == answer


def test_asking_needs_a_signed_in_caller(post, pool):
    assert post(None, asking(pool)) == (401, "NOT_AUTHENTICATED")


@pytest.mark.parametrize("number", ["0", "999999999999999999"])
def test_a_pool_that_is_not_there(post, player, number):
    assert post(player, f"/api/v1/pools/{number}/requests") == (404, "NOT_FOUND")


def test_an_address_that_no_pool_can_have(api, player):
    assert api(player).post(f"/api/v1/pools/{'9' * 19}/requests").status_code == 404


def test_players_see_their_own_requests_newest_first(get, player, stranger):
    RequestFactory(user=stranger)
    mine = [RequestFactory(user=player) for _ in range(2)]
    status, data = get(player, LIST)
    assert (status, [row["id"] for row in data]) == (200, [mine[1].pk, mine[0].pk])


def test_a_strangers_request_is_not_there(get, post, player, stranger):
    request = RequestFactory(user=player)
    assert get(stranger, f"{LIST}/{request.pk}") == (404, "NOT_FOUND")
    assert post(stranger, act(request, "withdraw")) == (404, "NOT_FOUND")


def test_all_staff_see_everything(get, moderator, finance, admin_user):
    request = RequestFactory()
    for person in (moderator, finance, admin_user):
        assert [row["id"] for row in get(person, LIST)[1]] == [request.pk]
        assert get(person, f"{LIST}/{request.pk}")[1]["id"] == request.pk


def test_a_paid_request_names_its_entry(get, player):
    entry = EntryFactory(owner=player)
    data = get(player, f"{LIST}/{entry.request_id}")[1]
    assert (data["entry"], data["payment_status"], data["fee_cents"], data["currency"]) == (
        entry.pk, "completed", 5000, "usd",
    )  # fmt: skip


def test_the_list_is_filtered(get, player, moderator, pool):
    pending = RequestFactory(user=player, pool=pool)
    approved = RequestFactory(user=player, approved=True)
    other = RequestFactory()

    def ids(**query):
        return {row["id"] for row in get(moderator, LIST, **query)[1]}

    assert ids(status="pending") == {pending.pk, other.pk}
    assert ids(payment_status="pending") == {approved.pk}
    assert ids(pool=pool.pk) == {pending.pk}
    assert ids(user=player.pk, status="approved") == {approved.pk}


def test_a_filter_does_not_open_what_others_asked(get, player, stranger):
    RequestFactory(user=stranger)
    assert get(player, LIST, user=stranger.pk) == (200, [])


@pytest.mark.parametrize("query", [{"status": "paid"}, {"status": ""}, {"pool": "x"}, {"pool": "9" * 30}])
def test_a_filter_that_means_nothing_is_refused(get, player, query):
    assert get(player, LIST, **query) == (400, "VALIDATION_ERROR")


def test_the_list_goes_on_by_cursor(api, player):
    rows = [RequestFactory(user=player) for _ in range(3)]
    first = api(player).get(LIST, {"limit": 2}).json()
    then = api(player).get(LIST, {"limit": 2, "cursor": first["meta"]["pagination"]["next_cursor"]}).json()
    assert [row["id"] for row in first["data"] + then["data"]] == [row.pk for row in reversed(rows)]
    assert then["meta"]["pagination"] == {"limit": 2, "next_cursor": None}


def test_the_place_in_line_is_told(get, moderator, player):
    pool = PoolFactory(capacity=1)
    RequestFactory(pool=pool, approved=True)
    now = database_now()
    late, early = RequestFactory(pool=pool, user=player), RequestFactory(pool=pool)
    waitlist_request(request=early, by=moderator, now=now)
    waitlist_request(request=late, by=moderator, now=now + timedelta(seconds=1))
    assert get(player, f"{LIST}/{late.pk}")[1]["waiting_list_position"] == 2
    positions = {row["id"]: row["waiting_list_position"] for row in get(moderator, LIST, pool=pool.pk)[1]}
    assert [positions.pop(row.pk) for row in (early, late)] == [1, 2]
    assert list(positions.values()) == [None]


@pytest.mark.parametrize("rows", [1, 3])
def test_a_list_costs_the_same_however_long_it_is(rows, api, moderator, django_assert_num_queries):
    pool = PoolFactory(capacity=1)
    for _ in range(rows):
        EntryFactory(in_pool=pool)
        RequestFactory(pool=pool, waitlisted_at=database_now())
    client = api(moderator)
    with django_assert_num_queries(2):
        assert len(client.get(LIST).json()["data"]) == 2 * rows


def test_withdrawing_answers_the_request(post, player):
    request = RequestFactory(user=player)
    status, data = post(player, act(request, "withdraw"))
    assert (status, data["id"], data["status"]) == (200, request.pk, "withdrawn")
    assert post(player, act(request, "withdraw")) == (409, "INVALID_TRANSITION")


def test_a_paid_place_is_not_withdrawn(post, player):
    request = EntryFactory(owner=player).request
    assert post(player, act(request, "withdraw")) == (409, "ALREADY_PAID")


def test_a_moderator_withdraws_for_a_player_with_a_reason(post, moderator):
    request = RequestFactory(approved=True)
    assert post(moderator, act(request, "withdraw")) == (400, "VALIDATION_ERROR")
    status, data = post(moderator, act(request, "withdraw"), {"reason": "Approved by mistake."})
    assert (status, data["status"], data["reason"]) == (200, "withdrawn", "Approved by mistake.")


def test_finance_withdraws_for_nobody(post, finance):
    request = RequestFactory(approved=True)
    assert post(finance, act(request, "withdraw"), {"reason": "No."}) == (403, "FORBIDDEN")


def test_approving_answers_the_approved_request(post, moderator, pool):
    request = RequestFactory(pool=pool)
    status, data = post(moderator, act(request, "approve"))
    assert (status, data["status"], data["payment_status"]) == (200, "approved", "pending")
    assert (data["fee_cents"], data["currency"]) == (5000, "usd")
    assert data["pay_by"].endswith("Z")
    assert data["decided_at"].endswith("Z")


def test_approving_in_a_free_pool_answers_the_entry(post, moderator):
    request = RequestFactory(pool=PoolFactory(entry_fee_cents=0))
    data = post(moderator, act(request, "approve"))[1]
    request.refresh_from_db()
    assert (data["payment_status"], data["entry"]) == ("completed", request.entry.pk)


def test_approving_in_a_full_pool_is_a_conflict(post, moderator):
    pool = PoolFactory(capacity=1)
    RequestFactory(pool=pool, approved=True)
    assert post(moderator, act(RequestFactory(pool=pool), "approve")) == (409, "POOL_FULL")


def test_approving_twice_is_a_conflict(post, moderator, pool):
    request = RequestFactory(pool=pool)
    post(moderator, act(request, "approve"))
    assert post(moderator, act(request, "approve")) == (409, "INVALID_TRANSITION")


def test_approving_in_a_closed_pool_is_refused(post, moderator):
    request = RequestFactory(pool=PoolFactory(status="running"))
    assert post(moderator, act(request, "approve")) == (422, "POOL_CLOSED")


def test_approving_somebody_who_left_is_refused(post, moderator):
    assert post(moderator, act(RequestFactory(user=UserFactory(is_active=False)), "approve")) == (403, "NOT_ELIGIBLE")


@pytest.mark.parametrize(("name", "body"), [("approve", None), ("reject", {"reason": "No."}), ("waitlist", None)])
def test_a_moderator_decides_nothing_of_their_own(post, moderator, name, body):
    assert post(moderator, act(RequestFactory(user=moderator), name), body) == (403, "FORBIDDEN")


@pytest.mark.parametrize(("name", "body"), [("approve", None), ("reject", {"reason": "No."}), ("waitlist", None)])
def test_only_moderators_and_admins_decide(post, player, stranger, finance, admin_user, name, body):
    pool = PoolFactory(capacity=1)
    if name == "waitlist":
        RequestFactory(pool=pool, approved=True)
    request = RequestFactory(user=player, pool=pool)
    for person in (player, stranger, finance):
        assert post(person, act(request, name), body) == (403, "FORBIDDEN")
    assert post(None, act(request, name), body) == (401, "NOT_AUTHENTICATED")
    request.refresh_from_db()
    assert (request.status, request.waitlisted_at) == ("pending", None)
    assert post(admin_user, act(request, name), body)[0] == 200


def test_rejecting_shows_the_player_why(post, get, moderator, player):
    request = RequestFactory(user=player)
    assert post(moderator, act(request, "reject"), {"reason": "Twice the same person."})[0] == 200
    data = get(player, f"{LIST}/{request.pk}")[1]
    assert (data["status"], data["reason"]) == ("rejected", "Twice the same person.")


@pytest.mark.parametrize("body", [None, {}, {"reason": ""}, {"reason": " "}, {"reason": "x" * 501}, {"reason": None}])
def test_rejecting_needs_a_reason(post, moderator, body):
    assert post(moderator, act(RequestFactory(), "reject"), body) == (400, "VALIDATION_ERROR")


def test_a_request_of_a_full_pool_can_wait(post, moderator):
    pool = PoolFactory(capacity=1)
    RequestFactory(pool=pool, approved=True)
    request = RequestFactory(pool=pool)
    status, data = post(moderator, act(request, "waitlist"))
    assert (status, data["status"], data["waiting_list_position"]) == (200, "pending", 1)
    assert post(moderator, act(request, "waitlist")) == (409, "INVALID_TRANSITION")


@pytest.mark.parametrize("name", ["approve", "reject", "waitlist", "withdraw"])
def test_a_decision_about_nothing(post, moderator, name):
    assert post(moderator, f"{LIST}/999/{name}", {"reason": "No."}) == (404, "NOT_FOUND")


@pytest.mark.parametrize("method", ["put", "patch", "delete", "post"])
def test_requests_are_not_edited(api, moderator, method):
    answer = getattr(api(moderator), method)(f"{LIST}/{RequestFactory().pk}")
    assert answer.status_code == 405
