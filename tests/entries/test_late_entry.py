"""Coming in late: until when places are to be had, which round an entry then plays from, and what it costs."""

from datetime import timedelta

import pytest

from config.clock import database_now
from config.errors import Code, DomainError
from config.models import OutboxMessage
from entries.models import Entry, Request
from entries.services.approvals import approve_request, waitlist_request
from entries.services.expiry import expire_unpaid, promote_everywhere
from entries.services.places import Because, PlaceRefused, grant_place
from entries.services.requests import ask_to_join
from entries.services.settlement import settle_competition
from pools.models import Pool, PoolStatus, Rules
from pools.queries import registration_closes_at
from pools.services.pools import start_due_pools
from tests.factories.accounts import ModeratorFactory, UserFactory
from tests.factories.entries import pick
from tests.factories.pools import CODES, PoolFactory, league, lock_round, play_round
from tests.support.calls import call
from tests.support.playing import enter

pytestmark = pytest.mark.django_db


def late_pool(*, rounds=5, until=3, strikes=0, counts=False, **fields):
    rules = {"late_entry_until": until, "late_entry_strikes": counts, "strikes": strikes}
    return PoolFactory(competition=league(rounds=rounds, codes=CODES), rules=rules, **fields)


def lock(pool, *numbers):
    for number in numbers:
        lock_round(pool.competition.rounds.get(number=number))
    start_due_pools(database_now())
    pool.refresh_from_db()


def lock_of(pool, number):
    return pool.competition.rounds.get(number=number).locks_at


def ask(pool, user=None):
    return ask_to_join(pool_id=pool.pk, user=user or UserFactory(), now=database_now())


def refusal_of_asking(pool):
    with pytest.raises(DomainError) as caught:
        ask(pool)
    return caught.value


def approved(pool):
    return approve_request(request=ask(pool), by=ModeratorFactory(), now=database_now())


def granted(request, **given):
    return grant_place(request=request, by=None, now=database_now(), **given)


def told(api, pool):
    return call(api(), "GET", f"/pools/{pool.pk}")[1]["joining"]


class TestRegistration:
    def test_it_stays_open_until_the_last_round_to_come_in_for_locks(self):
        pool = late_pool()
        lock(pool, 1, 2)
        assert pool.status == PoolStatus.RUNNING
        assert registration_closes_at(pool) == lock_of(pool, 3)
        assert ask(pool).status == "pending"
        lock(pool, 3)
        assert refusal_of_asking(pool).code == Code.POOL_CLOSED

    def test_the_pool_s_own_closing_time_is_kept_where_it_is_earlier(self):
        closes_at = database_now() + timedelta(hours=1)
        pool = late_pool(registration_closes_at=closes_at)
        lock(pool, 1)
        assert registration_closes_at(pool) == closes_at
        Pool.objects.update(registration_closes_at=lock_of(pool, 3) + timedelta(hours=1))
        pool.refresh_from_db()
        assert registration_closes_at(pool) == lock_of(pool, 3)

    def test_a_running_pool_without_late_entry_takes_nobody(self):
        pool = PoolFactory(competition=league(rounds=3))
        lock(pool, 1)
        assert refusal_of_asking(pool).details == {"status": "running"}

    def test_a_finished_pool_takes_nobody(self):
        pool = late_pool(status=PoolStatus.FINISHED)
        assert refusal_of_asking(pool).details == {"status": "finished"}

    def test_the_newest_rules_decide(self, admin_user, moderator):
        pool = late_pool(until=2)
        lock(pool, 1)
        values = {"late_entry_until": 4, "created_by": admin_user, "confirmed_by": moderator}
        Rules.objects.create(pool=pool, version=2, effective_round_number=2, **values)
        lock(pool, 2)
        assert registration_closes_at(pool) == lock_of(pool, 4)
        assert ask(pool).status == "pending"

    def test_who_would_have_missed_more_rounds_than_strikes_is_refused(self):
        pool = late_pool(strikes=1, counts=True)
        lock(pool, 1)
        assert ask(pool).status == "pending"
        lock(pool, 2)
        refused = refusal_of_asking(pool)
        assert (refused.code, refused.details) == (Code.POOL_CLOSED, {"strikes": 1})

    def test_the_time_to_pay_ends_with_registration(self):
        pool = late_pool(pay_within_hours=24 * 90)
        lock(pool, 1)
        assert approved(pool).pay_by == lock_of(pool, 3)

    def test_a_place_that_falls_free_late_goes_to_the_waiting_list(self, moderator):
        pool = late_pool(capacity=1)
        lock(pool, 1)
        held = approved(pool)
        waiting = waitlist_request(request=ask(pool), by=moderator, now=database_now())
        Request.objects.filter(pk=held.pk).update(pay_by=database_now() - timedelta(minutes=1))
        assert expire_unpaid(now=database_now()) == 1
        assert Request.objects.get(pk=waiting.pk).status == "approved"

    def test_a_larger_running_pool_lets_the_waiting_in(self, moderator):
        pool = late_pool(capacity=1)
        lock(pool, 1)
        approved(pool)
        waiting = waitlist_request(request=ask(pool), by=moderator, now=database_now())
        Pool.objects.update(capacity=2)
        assert promote_everywhere(now=database_now()) == 1
        assert Request.objects.get(pk=waiting.pk).status == "approved"


class TestFirstRound:
    def test_before_the_first_lock_it_is_the_pool_s_first(self):
        pool = late_pool()
        assert granted(approved(pool)).first_round_number == 1

    def test_it_is_the_first_that_had_not_locked_when_it_was_paid(self):
        pool = late_pool()
        lock(pool, 1)
        assert granted(approved(pool)).first_round_number == 2

    def test_it_is_never_before_the_pool_s_own_first(self):
        competition = league(rounds=5, codes=CODES)
        pool = PoolFactory(competition=competition, first_round_number=2, rules={"late_entry_until": 3})
        assert granted(approved(pool)).first_round_number == 2

    def test_news_after_the_next_lock_lets_it_in_one_round_later(self):
        pool = late_pool()
        lock(pool, 1)
        request, paid_at = approved(pool), database_now()
        lock(pool, 2)
        assert granted(request, paid_at=paid_at).first_round_number == 3

    def test_news_after_the_last_lock_is_too_late(self):
        pool = late_pool()
        lock(pool, 1)
        request, paid_at = approved(pool), database_now()
        lock(pool, 2, 3)
        with pytest.raises(PlaceRefused) as caught:
            granted(request, paid_at=paid_at)
        assert caught.value.because == Because.TOO_LATE
        assert request.payment_status == "pending"
        assert not Entry.objects.exists()

    def test_news_that_would_cost_more_strikes_than_there_are_is_too_late(self):
        pool = late_pool(strikes=1, counts=True)
        lock(pool, 1)
        request, paid_at = approved(pool), database_now()
        lock(pool, 2)
        with pytest.raises(PlaceRefused) as caught:
            granted(request, paid_at=paid_at)
        assert caught.value.because == Because.TOO_LATE

    def test_without_late_entry_money_in_time_plays_from_the_first_round(self):
        pool = PoolFactory(competition=league(rounds=3))
        request, paid_at = approved(pool), database_now()
        lock(pool, 1)
        assert granted(request, paid_at=paid_at).first_round_number == 1

    def test_a_free_pool_makes_the_late_entry_at_approval(self):
        pool = late_pool(entry_fee_cents=0)
        lock(pool, 1, 2)
        approved(pool)
        assert Entry.objects.get().first_round_number == 3


class TestPlaying:
    def test_the_rounds_before_are_not_missed(self):
        pool = late_pool()
        enter(pool, "ANT", "CAT"), enter(pool, "CAT", "ANT")
        play_round(pool.competition.rounds.get(number=1), winners=set())
        start_due_pools(database_now())
        pool.refresh_from_db()
        late = granted(approved(pool))
        pick(late, 2, "ELK")
        play_round(pool.competition.rounds.get(number=2), winners=set())
        settle_competition(competition_id=pool.competition_id)
        late.refresh_from_db()
        assert (late.status, late.strikes) == ("active", 0)

    def test_each_round_missed_is_a_strike_where_the_rules_say_so(self):
        pool = late_pool(strikes=2, counts=True)
        enter(pool, "ANT", "CAT"), enter(pool, "CAT", "ANT")
        for number in (1, 2):
            play_round(pool.competition.rounds.get(number=number), winners=set())
        start_due_pools(database_now())
        pool.refresh_from_db()
        late = granted(approved(pool))
        assert OutboxMessage.objects.get(kind="results.arrived").payload == {"competition": pool.competition_id}
        settle_competition(competition_id=pool.competition_id)
        late.refresh_from_db()
        assert (late.status, late.strikes) == ("active", 2)


class TestWhatItCosts:
    def test_a_pool_says_the_first_round_and_the_strikes(self, api):
        pool = late_pool(strikes=2, counts=True)
        assert told(api, pool) == {"first_round": 1, "strikes": 0}
        lock(pool, 1, 2)
        assert told(api, pool) == {"first_round": 3, "strikes": 2}

    def test_rounds_missed_cost_nothing_unless_the_rules_say_so(self, api):
        pool = late_pool(strikes=2)
        lock(pool, 1)
        assert told(api, pool) == {"first_round": 2, "strikes": 0}

    def test_nothing_is_said_once_nobody_can_join(self, api):
        pool = late_pool()
        lock(pool, 1, 2, 3)
        assert told(api, pool) is None
        running = PoolFactory()
        lock(running, 1)
        assert told(api, running) is None
        assert told(api, late_pool(status=PoolStatus.FINISHED)) is None
        many_missed = late_pool(strikes=1, counts=True)
        lock(many_missed, 1, 2)
        assert told(api, many_missed) is None
