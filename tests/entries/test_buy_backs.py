"""Asking to buy back in: who may, what it costs, and by when."""

import pytest
from django.db import transaction

from config.clock import database_now
from config.errors import Code
from entries.models import Entry, Reprieve, RequestChange
from entries.services.requests import ask_to_join, withdraw_request
from pools.models import Game, GameStatus, Pool, PoolStatus, Rules
from tests.factories.entries import pick
from tests.factories.pools import finish, lock_round
from tests.support.buying_back import ROUNDS, ask, fallen_in, fresh, generous_pool, lock_of, pay, refusal, settle
from tests.support.playing import enter, play, void

pytestmark = pytest.mark.django_db


@pytest.fixture
def pool():
    return generous_pool()


@pytest.fixture
def fallen(pool, player):
    return fallen_in(pool, owner=player)


def because(entry):
    refused = refusal(entry)
    assert refused.code == Code.BUY_BACK_NOT_ALLOWED
    return refused.details["because"]


class TestAsking:
    def test_the_rules_approve_it_with_fee_and_rounds(self, pool, fallen, player):
        request = fresh(ask(fallen))
        assert (request.kind, request.bought_entry, request.user, request.number) == ("buy_back", fallen, player, 1)
        assert (request.status, request.payment_status, request.fee_cents) == ("approved", "pending", 2500)
        assert (request.currency, request.pay_by) == ("usd", lock_of(pool, 2))
        assert (request.round_number, request.resumes_round_number) == (1, 2)
        assert request.decided_by is None
        assert fresh(fallen).status == "eliminated"

    def test_it_is_recorded_with_who_asked(self, fallen, player):
        change = RequestChange.objects.get(subject_id=ask(fallen).pk)
        assert (change.to_status, change.actor_id) == ("approved", player.pk)

    def test_asking_again_gives_the_same_request(self, fallen):
        assert ask(fallen) == ask(fallen)

    def test_the_fee_is_that_of_the_rules_of_the_round_it_fell_in(self, pool, fallen, admin_user, moderator):
        names = {"created_by": admin_user, "confirmed_by": moderator}
        values = {"buy_back_until": 3, "buy_back_limit": 1, "buy_back_fee_cents": 9900}
        Rules.objects.create(pool=pool, version=2, effective_round_number=2, **values, **names)
        assert ask(fallen).fee_cents == 2500

    def test_it_is_due_at_the_next_lock_that_is_to_come(self, pool, fallen):
        play(pool, 2)
        request = ask(fallen)
        assert (request.round_number, request.resumes_round_number, request.pay_by) == (1, 3, lock_of(pool, 3))

    def test_it_takes_no_place(self, pool, fallen):
        held = pool.requests.holding_a_place().count()
        ask(fallen)
        assert pool.requests.holding_a_place().count() == held

    def test_it_takes_no_number(self, player):
        pool = generous_pool(late_entry_until=3)
        entry = enter(pool, "BAT", owner=player, number=2)
        play(pool, 1)
        ask(entry)
        assert ask_to_join(pool_id=pool.pk, user=player, now=database_now()).number == 1

    def test_missing_a_pick_is_a_fall_like_another(self, pool, player):
        entry = enter(pool, owner=player)
        play(pool, 1)
        assert fresh(entry).eliminated_code == "no_pick"
        assert ask(entry).round_number == 1

    def test_in_a_free_pool_the_entry_is_back_at_once(self, player):
        pool = generous_pool(fee=0)
        entry = enter(pool, "BAT", owner=player)
        play(pool, 1)
        request = ask(entry)
        assert (request.payment_status, request.fee_cents) == ("completed", 0)
        settle(pool)
        assert fresh(entry).status == "active"


class TestRefusals:
    def test_somebody_else_s_entry_is_not_there(self, fallen, stranger):
        assert refusal(fallen, stranger).code == Code.NOT_FOUND

    def test_an_entry_that_is_in_has_nothing_to_buy(self, pool, fallen):
        assert because(Entry.objects.filter(pool=pool, status="active").first()) == "not_eliminated"

    def test_a_void_entry_stays_void(self, pool):
        entry = void(enter(pool, "BAT"))
        assert because(entry) == "not_eliminated"

    def test_whoever_a_tiebreak_put_out_stays_out(self, fallen):
        Entry.objects.filter(pk=fallen.pk).update(eliminated_code="tiebreak")
        assert because(fallen) == "tiebreak"

    def test_rules_without_it_refuse(self, player):
        pool = generous_pool(until=None, limit=0, fee=0)
        entry = enter(pool, "BAT", owner=player)
        play(pool, 1)
        assert because(entry) == "not_in_the_rules"

    def test_a_later_fall_is_final(self, player):
        pool = generous_pool(until=1)
        entry = enter(pool, "CAT", "BAT", owner=player)
        play(pool, 1)
        play(pool, 2)
        assert because(entry) == "fell_too_late"

    def test_a_round_that_is_not_over_could_still_change(self, pool, player):
        entry = enter(pool, "BAT", owner=player)
        first = pool.competition.rounds.get(number=1)
        lock_round(first)
        for game in first.games.order_by("id")[:3]:
            finish(game, 20, 10)
        settle(pool)
        assert fresh(entry).status == "eliminated"
        assert because(entry) == "round_not_complete"
        Game.objects.filter(round=first).exclude(status="final").update(status=GameStatus.POSTPONED)
        assert ask(entry).status == "approved"

    def test_each_fall_is_bought_back_once_and_no_more_falls_than_the_limit(self, pool, fallen):
        pay(ask(fallen))
        assert because(fallen) == "bought_already"
        settle(pool)
        pick(fallen, 2, "DOG")
        play(pool, 2)
        assert fresh(fallen).eliminated_round_number == 2
        assert because(fallen) == "limit_reached"

    def test_requests_that_were_not_paid_do_not_count(self, fallen):
        for _ in range(2):
            withdraw_request(request=ask(fallen), by=fallen.user, now=database_now())
        assert ask(fallen).status == "approved"

    def test_two_returns_are_two_requests_where_the_limit_is_two(self, player):
        pool = generous_pool(limit=2)
        entry = enter(pool, "BAT", "DOG", owner=player)
        for number in (1, 2):
            play(pool, number)
            pay(ask(entry))
            settle(pool)
        assert fresh(entry).status == "active"
        assert list(Reprieve.objects.order_by("id").values_list("from_round_number", "before_round_number")) == [
            (1, 2), (2, 3),
        ]  # fmt: skip

    @pytest.mark.parametrize("status", [PoolStatus.FINISHED, PoolStatus.CANCELLED])
    def test_a_pool_that_is_over_takes_nobody_back(self, fallen, status):
        with transaction.atomic():
            Pool.objects.update(status=status)
        assert refusal(fallen).code == Code.POOL_CLOSED

    def test_with_every_round_locked_there_is_nothing_to_come_back_for(self, pool, fallen):
        for number in range(2, ROUNDS + 1):
            lock_round(pool.competition.rounds.get(number=number))
        assert refusal(fallen).code == Code.DEADLINE_PASSED

    def test_a_round_without_games_cannot_be_bought_into(self, pool, fallen):
        Game.objects.filter(round__number=2).update(round=pool.competition.rounds.get(number=3))
        pool.competition.rounds.filter(number=2).update(first_kickoff_at=None)
        assert refusal(fallen).code == Code.ROUND_NOT_OPEN

    def test_a_player_whose_account_is_not_active_is_refused(self, fallen, player):
        player.is_active = False
        assert refusal(fallen, player).code == Code.NOT_ELIGIBLE

    def test_a_player_who_moved_where_the_pool_is_not_offered_is_refused(self, pool, fallen, player):
        Pool.objects.update(countries=["US"])
        player.country = "FR"
        assert refusal(fallen, player).code == Code.NOT_ELIGIBLE
