"""The filters of long lists: windows of time, competitions, either order, and no statement more for any of them."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from entries.models import Entry, Request
from payments.models import Payment
from tests.factories.entries import RequestFactory
from tests.factories.payments import paid_entry, payment_for
from tests.factories.pools import PoolFactory, league
from tests.support.calls import call, respond

pytestmark = pytest.mark.django_db
LISTS = {"/requests": Request, "/entries": Entry, "/payments": Payment}
HOUR = timedelta(hours=1)


@pytest.fixture
def three(player):
    """Three places of one player, in two competitions."""
    second = league()
    return [
        paid_entry(RequestFactory(user=player, pool=pool, approved=True))
        for pool in (PoolFactory(competition=second), PoolFactory(), PoolFactory(competition=second))
    ]


def rows_of(path):
    return list(LISTS[path].objects.order_by("id"))


def ids(answer):
    return [item["id"] for item in answer[1]]


def said(instant):
    return instant.isoformat()


@pytest.mark.parametrize("path", LISTS)
class TestEveryLongList:
    def test_a_window_begins_at_its_first_instant_and_ends_before_its_last(self, api, admin_user, three, path):
        first, second, third = rows_of(path)
        client = api(admin_user)
        assert ids(call(client, "GET", path, created_since=said(second.created_at))) == [third.pk, second.pk]
        assert ids(call(client, "GET", path, created_before=said(second.created_at))) == [first.pk]
        window = {"created_since": said(first.created_at), "created_before": said(third.created_at)}
        assert ids(call(client, "GET", path, **window)) == [second.pk, first.pk]

    def test_the_oldest_come_first_where_asked(self, api, admin_user, three, path):
        client = api(admin_user)
        newest = ids(call(client, "GET", path))
        assert ids(call(client, "GET", path, order="oldest")) == newest[::-1]

    @pytest.mark.parametrize(
        "query", [{"created_since": "yesterday"}, {"created_after": "2026-01-01T00:00:00Z"}, {"order": "-id"}]
    )
    def test_what_is_no_filter_is_refused_by_name(self, api, player, path, query):
        answer = respond(api(player), "GET", path, **query)
        assert (answer.status_code, list(answer.json()["error"]["details"])) == (400, list(query))

    def test_a_stranger_finds_nothing_with_any_of_them(self, api, stranger, three, path):
        since = said(three[0].created_at - HOUR)
        assert call(api(stranger), "GET", path, created_since=since, order="oldest") == (200, [])

    def test_a_cursor_goes_on_within_the_window(self, api, admin_user, three, path):
        first, second, _ = rows_of(path)
        window = {"created_since": said(first.created_at), "limit": 1, "order": "oldest"}
        answer = respond(api(admin_user), "GET", path, **window).json()
        cursor = answer["meta"]["pagination"]["next_cursor"]
        assert ids(call(api(admin_user), "GET", path, **window, cursor=cursor)) == [second.pk]


@pytest.mark.parametrize("path", ["/requests", "/entries"])
def test_those_of_one_competition_are_found(api, admin_user, three, path):
    code = three[0].pool.competition.code
    assert len(call(api(admin_user), "GET", path, competition=code)[1]) == 2
    assert call(api(admin_user), "GET", path, competition="nowhere") == (200, [])


def test_payments_of_one_pool_and_of_one_player_are_found(api, finance, three):
    payment = payment_for(RequestFactory(approved=True))
    assert ids(call(api(finance), "GET", "/payments", user=payment.request.user_id)) == [payment.pk]
    assert ids(call(api(finance), "GET", "/payments", pool=payment.request.pool_id)) == [payment.pk]


def test_a_player_who_asks_for_anothers_payments_finds_none(api, player, three):
    payment = payment_for(RequestFactory(approved=True))
    assert call(api(player), "GET", "/payments", user=payment.request.user_id) == (200, [])


@pytest.mark.parametrize("path", LISTS)
def test_three_cost_as_many_statements_as_one(api, admin_user, three, path):
    costs = []
    for limit in (1, 3):
        with CaptureQueriesContext(connection) as queries:
            api(admin_user).get(f"/api/v1{path}?limit={limit}&created_since={said(three[0].created_at - HOUR)[:19]}Z")
        costs.append(len(queries))
    assert costs[0] == costs[1]
