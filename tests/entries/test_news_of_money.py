"""What is left in the outbox for whoever keeps the money: payments to close, prizes that changed, places imported."""

from datetime import timedelta

import pytest

from config.clock import database_now
from config.models import OutboxMessage
from entries.models import Settlement
from entries.services.expiry import expire_unpaid
from entries.services.imports import import_entries
from entries.services.imports.rows import Row
from entries.services.lost_places import take_place_back, void_entry
from entries.services.requests import withdraw_request
from entries.services.settlement import settle_competition
from tests.factories.entries import RequestFactory
from tests.factories.pools import PoolFactory, finish, league
from tests.support.buying_back import settle
from tests.support.playing import enter, play
from tests.support.ruling import reverse, rule

pytestmark = pytest.mark.django_db


def told(kind):
    return list(OutboxMessage.objects.filter(kind=kind).order_by("id").values_list("key", "payload"))


def pools_told():
    return [payload["pool"] for _, payload in told("prizes.changed")]


class TestClosedRequests:
    def withdraw(self, request):
        withdraw_request(request=request, by=request.user, now=database_now())

    def test_an_unpaid_place_that_is_given_up_closes_its_payment(self):
        request = RequestFactory(approved=True)
        self.withdraw(request)
        assert told("request.closed") == [(f"request-closed-{request.pk}", {"request": request.pk})]

    def test_so_does_one_that_expires(self):
        request = RequestFactory(approved=True, pay_by=database_now() - timedelta(minutes=1))
        expire_unpaid(now=database_now())
        assert told("request.closed") == [(f"request-closed-{request.pk}", {"request": request.pk})]

    def test_where_nothing_was_owed_there_is_nothing_to_close(self):
        self.withdraw(RequestFactory())
        self.withdraw(RequestFactory(approved=True, fee_cents=0))
        assert told("request.closed") == []


class TestPrizes:
    @pytest.fixture
    def pool(self):
        """Its first two rounds, which decide it, are not played yet."""
        return PoolFactory()

    def test_nothing_is_told_while_nobody_has_won(self, pool):
        enter(pool, "ANT", "CAT"), enter(pool, "ANT", "CAT"), enter(pool, "BAT")
        play(pool, 1)
        assert Settlement.objects.exists()
        assert pools_told() == []

    def test_a_pool_that_ends_is_told_once_for_each_settlement(self, pool):
        enter(pool, "ANT", "CAT"), enter(pool, "BAT")
        enter(PoolFactory(competition=pool.competition), "ANT")
        play(pool, 1)
        settle(pool)
        settlement = Settlement.objects.get()
        assert told("prizes.changed")[0] == (
            f"prizes-changed-by-settlement-{settlement.pk}-{pool.pk}", {"pool": pool.pk},
        )  # fmt: skip
        assert len(pools_told()) == 2

    def test_a_correction_that_reopens_or_moves_the_prize_is_told(self, pool):
        enter(pool, "ANT", "CAT"), enter(pool, "BAT")
        play(pool, 1)
        game = pool.competition.games.get(round__number=1, home__code="ANT")
        finish(game, 0, 7)
        settle(pool)
        assert pools_told() == [pool.pk, pool.pk]
        finish(game, 7, 7)
        settle(pool)
        assert pools_told() == [pool.pk] * 3

    def test_a_fee_that_goes_back_changes_the_prizes_of_all_others(self, pool):
        _winner, other = enter(pool, "ANT"), enter(pool, "BAT")
        play(pool, 1)
        take_place_back(request=other.request, by=None, reason="asked")
        settle(pool)
        assert pools_told() == [pool.pk, pool.pk]

    @pytest.mark.parametrize("lose", [
        lambda entry: take_place_back(request=entry.request, by=None, reason="asked"),
        lambda entry: void_entry(entry=entry, by=None, reason="lost"),
    ])  # fmt: skip
    def test_a_lost_prize_is_told_at_once(self, pool, lose):
        winner, _ = enter(pool, "ANT"), enter(pool, "BAT")
        play(pool, 1)
        lose(winner)
        assert pools_told() == [pool.pk, pool.pk]

    def test_a_ruling_and_its_reversal_are_told(self, pool):
        winner, _ = enter(pool, "ANT"), enter(pool, "BAT")
        play(pool, 1)
        before = len(pools_told())
        ruling = rule("disqualify", entry=winner)
        assert len(pools_told()) > before
        before = len(pools_told())
        reverse(ruling)
        assert len(pools_told()) > before

    def test_a_dry_run_tells_nothing(self, pool):
        enter(pool, "ANT"), enter(pool, "BAT")
        play(pool, 1)
        finish(pool.competition.games.get(round__number=1, home__code="ANT"), 0, 7)
        settle_competition(competition_id=pool.competition_id, dry_run=True)
        assert pools_told() == [pool.pk]


class TestImports:
    def land(self, pool, *entries):
        rows = [Row(n, entry, "Ann", 1, "ANT", "") for n, entry in enumerate(entries, start=2)]
        return import_entries(pool=pool, rows=rows)

    def test_each_run_that_lands_entries_is_told(self):
        pool = PoolFactory(competition=league(), max_entries_per_user=5)
        assert self.land(pool, "a1", "a2").entries == 2
        assert self.land(pool, "a1", "a2", "a3").entries == 1
        assert self.land(pool, "a1", "a2", "a3").entries == 0
        newest = [pool.entries.get(reference=reference).pk for reference in ("a2", "a3")]
        assert told("entries.imported") == [(f"entries-imported-{pool.pk}-{pk}", {"pool": pool.pk}) for pk in newest]
