"""The home page: what waits and for how long, whom it tells, where it leads, and what it costs."""

from datetime import timedelta

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.clock import database_now
from config.home import Queue, among, queue
from config.home.page import waiting_in
from config.home.registry import queues_for
from config.menu import listed_tables
from entries.admin.home import alive, next_locks
from entries.models import EntryStatus, Request
from payments.models import Discrepancy, DiscrepancyKind
from pools.models import Game, PoolStatus
from tests.factories.entries import EntryFactory, RequestFactory, pick
from tests.factories.payments import unapplied_money
from tests.factories.pools import PoolFactory, league

pytestmark = pytest.mark.django_db

HOME = "/admin/"


@pytest.fixture
def look(client):
    """The page as this person sees it."""

    def get(person):
        client.force_login(person)
        answer = client.get(HOME)
        assert answer.status_code == 200
        return answer

    return get


def numbers(answer):
    return {one.queue.name: one.number for one in answer.context["waiting"]}


@pytest.fixture
def busy():
    """Something in many queues: three requests, one place about to be lost, a game, money, a doubt."""
    pool = PoolFactory(status=PoolStatus.OPEN)
    RequestFactory.create_batch(3, pool=pool)
    RequestFactory(pool=pool, waitlisted_at=database_now())
    RequestFactory(pool=pool, approved=True, pay_by=database_now() + timedelta(hours=2))
    RequestFactory(pool=pool, approved=True)
    game = Game.objects.filter(competition=pool.competition).first()
    Game.objects.filter(pk=game.pk).update(review="It was moved to another week.")
    unapplied_money()
    Discrepancy.objects.create(
        kind=DiscrepancyKind.MISSING_AT_PROVIDER, object_key="payment:1", sentence="It is missing.", suggestion="Look."
    )
    return pool


class TestQueues:
    def test_each_tells_how_many_wait_and_leads_to_just_those(self, look, busy, admin_user, client):
        shown = look(admin_user)
        found = numbers(shown)

        assert {name: found[name] for name in ("requests", "unpaid", "games", "receipts", "urgent")} == {
            "requests": 3, "unpaid": 1, "games": 1, "receipts": 1, "urgent": 1,
        }  # fmt: skip
        for one in shown.context["waiting"]:
            assert client.get(one.address).context["cl"].result_count == one.number, one.queue.name
            assert one.address.replace("&", "&amp;") in shown.content.decode()

    def test_every_empty_one_leads_to_its_list_as_well(self, look, admin_user, client):
        empty = look(admin_user).context["empty"]
        assert {one.name for one in empty} >= {"requests", "refunds", "rulings", "results", "documents"}
        for one in empty:
            address = one.query if isinstance(one.query, str) else one.query(database_now())
            assert client.get(f"/admin/{one.table.replace('_', '/', 1)}/{address}").status_code == 200, one.name

    def test_a_role_sees_the_queues_whose_lists_it_sees(self, look, busy, moderator, finance):
        assert set(numbers(look(moderator))) == {"requests", "unpaid", "games"}
        assert set(numbers(look(finance))) == {"requests", "unpaid", "receipts", "urgent"}

    def test_what_waits_too_long_comes_first_and_says_so(self, look, busy, admin_user):
        Request.objects.filter(status="pending").update(created_at=database_now() - timedelta(days=3))
        shown = look(admin_user)
        first, second, third = shown.context["waiting"][:3]
        assert {one.queue.name for one in (first, second, third)} == {"requests", "unpaid", "urgent"}
        assert all(one.is_late for one in (first, second, third))
        assert "oldest waits for 3 days" in shown.content.decode().replace("\xa0", " ")
        assert "first is due in 1 hour" in shown.content.decode().replace("\xa0", " ")
        assert "3 things are late" in shown.content.decode()

    def test_more_than_anybody_decides_in_a_day_are_not_counted(self, admin_user, monkeypatch):
        monkeypatch.setattr("config.home.page.MOST_COUNTED", 2)
        RequestFactory.create_batch(4)
        (found,) = waiting_in([one for one in queues_for(admin_user) if one.name == "requests"])
        assert (found.number, found.count) == (3, "2+")

    def test_none_is_declared_twice_and_codes_are_codes(self):
        with pytest.raises(ValueError, match="two parts"):
            queue(Queue("requests", "", "entries_request", "", since=""))
        with pytest.raises(ValueError, match="not a code"):
            among("status", "it's")


class TestRounds:
    def test_it_tells_how_many_have_no_pick_and_never_which(self, look, moderator):
        pool = PoolFactory(competition=league(codes=("ZEBRAS", "YAKS")), status=PoolStatus.RUNNING)
        picked, *_ = [EntryFactory(in_pool=pool) for _ in range(3)]
        EntryFactory(in_pool=pool, status=EntryStatus.VOID)
        pick(picked, 1, "ZEBRAS")

        (lock,) = next_locks()

        assert (lock.pool_id, lock.playing, lock.picked, lock.missing) == (pool.pk, 3, 1, 2)
        page = look(moderator).content.decode()
        assert "2 of 3" in page
        assert "ZEBRAS" not in page.upper()

    def test_where_two_teams_are_asked_for_one_is_not_enough(self):
        pool = PoolFactory(
            competition=league(codes=("ZEBRAS", "YAKS", "EMUS", "OWLS")), status=PoolStatus.RUNNING,
            rules={"picks_per_round": 2},
        )  # fmt: skip
        entry = EntryFactory(in_pool=pool)
        pick(entry, 1, "ZEBRAS", slot=1)
        assert next_locks()[0].missing == 1
        pick(entry, 1, "EMUS", slot=2)
        assert next_locks()[0].missing == 0

    def test_pools_that_are_not_in_play_have_none(self):
        PoolFactory(status=PoolStatus.DRAFT)
        assert next_locks() == []


class TestAlive:
    def test_the_biggest_pools_come_first_with_who_is_left(self):
        small, big = PoolFactory(status=PoolStatus.OPEN), PoolFactory(status=PoolStatus.RUNNING)
        EntryFactory(in_pool=small)
        for _ in range(3):
            EntryFactory(in_pool=big)
        EntryFactory(
            in_pool=big, status=EntryStatus.ELIMINATED, eliminated_round_number=1, eliminated_code="lost",
        )  # fmt: skip

        first, second = alive()

        assert (first.pool_id, first.left, first.total, first.percent) == (big.pk, 3, 4, 75)
        assert [first.after(number) for number in (0, 1, 2)] == [100.0, 75.0, None]
        assert (second.pool_id, second.left, second.total) == (small.pk, 1, 1)


class TestCost:
    @pytest.mark.parametrize("times", [1, 3])
    def test_the_page_takes_fewer_than_ten_queries_however_much_waits(self, client, admin_user, busy, times):
        for _ in range(times - 1):
            RequestFactory()
            EntryFactory()
            unapplied_money()
        client.force_login(admin_user)
        client.get(HOME)
        with CaptureQueriesContext(connection) as queries:
            client.get(HOME)
        assert len(queries) < 10, [query["sql"][:90] for query in queries]


def test_every_list_has_a_line_in_the_sidebar(look, admin_user, moderator):
    assert {model._meta.label_lower.replace(".", "_") for model in admin.site._registry} == listed_tables()
    assert "/admin/payments/refund/" in look(admin_user).content.decode()
    assert "/admin/payments/refund/" not in look(moderator).content.decode()


def test_nothing_is_fetched_from_elsewhere(look, admin_user):
    page = look(admin_user).content.decode()
    assert "back-office/outlast.css" in page
    assert 'src="http' not in page
    assert 'rel="stylesheet" href="http' not in page


def test_the_page_says_where_it_runs(look, admin_user):
    assert "Tests" in look(admin_user).content.decode()
