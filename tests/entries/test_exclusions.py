"""Who is excluded gets no place, on any way; what is paid plays on."""

from datetime import timedelta

import pytest

from accounts.models import ExclusionKind
from accounts.services.exclusions import begin_exclusion, exclude_player
from accounts.services.spending import set_limit
from config import outbox
from config.clock import database_now
from config.errors import Code, DomainError
from entries.models import Entry, Pick, Request
from entries.services.approvals import approve_request, promote_waiting, waitlist_request
from entries.services.buy_backs import ask_to_buy_back
from entries.services.imports import RowFile, import_entries
from entries.services.places import Because, PlaceRefused, grant_place
from entries.services.requests import ask_to_join, withdraw_request
from tests.factories.accounts import UserFactory
from tests.factories.entries import EntryFactory, RequestFactory
from tests.factories.pools import PoolFactory, league
from tests.support.attacks import attack
from tests.support.buying_back import fallen_in, fresh, generous_pool
from tests.support.clock import Clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def pool():
    return PoolFactory()


def exclude(user, days=7):
    return begin_exclusion(user=user, kind=ExclusionKind.COOLING_OFF, days=days)


def refusal(call, **kwargs):
    """Code and details of the refusal; None where there is none."""
    try:
        call(**{"now": database_now(), **kwargs})
    except DomainError as refused:
        return refused.code
    return None


class TestDoors:
    """Each is open to everybody else: the same call works before."""

    def test_asking(self, pool, player):
        assert refusal(ask_to_join, pool_id=pool.pk, user=player) is None
        exclude(player)

        assert refusal(ask_to_join, pool_id=pool.pk, user=player) is Code.EXCLUDED
        assert Request.objects.count() == 1

    def test_asking_again_once_it_is_over(self, player):
        pool, clock = PoolFactory(competition=league(first_kickoff_in=timedelta(days=9))), Clock()
        exclusion = exclude(player, days=7)

        clock.just_before(exclusion.until)
        assert refusal(ask_to_join, pool_id=pool.pk, user=player) is Code.EXCLUDED
        clock.at(exclusion.until)
        assert refusal(ask_to_join, pool_id=pool.pk, user=player) is None

    def test_approving(self, pool, moderator):
        request, other = RequestFactory(pool=pool), RequestFactory(pool=pool)
        exclude(request.user)

        assert refusal(approve_request, request=request, by=moderator) is Code.EXCLUDED
        assert fresh(request).status == "pending"
        assert refusal(approve_request, request=other, by=moderator) is None

    def test_approving_in_a_free_pool(self, moderator):
        request = RequestFactory(pool=PoolFactory(entry_fee_cents=0))
        exclude(request.user)

        assert refusal(approve_request, request=request, by=moderator) is Code.EXCLUDED
        assert not Entry.objects.exists()

    def test_waiting_for_a_place(self, moderator):
        pool = PoolFactory(capacity=1)
        RequestFactory(pool=pool, approved=True)
        request = RequestFactory(pool=pool)
        exclude(request.user)

        assert refusal(waitlist_request, request=request, by=moderator) is Code.EXCLUDED

    def test_moving_up_from_the_waiting_list(self, moderator):
        pool = PoolFactory(capacity=1)
        holding = RequestFactory(pool=pool, approved=True)
        first, second = (RequestFactory(pool=pool) for _ in range(2))
        for request in (first, second):
            waitlist_request(request=request, by=moderator, now=database_now())
        exclude(first.user)

        withdraw_request(request=holding, by=holding.user, now=database_now())

        assert (fresh(first).status, fresh(second).status) == ("pending", "approved")
        assert promote_waiting(pool=pool, now=database_now()) == []

    def test_money_becoming_a_place(self, pool):
        request = RequestFactory(pool=pool, approved=True)
        exclude(request.user)

        with pytest.raises(PlaceRefused) as caught:
            grant_place(request=request, by=None, now=database_now(), paid_at=database_now() - timedelta(hours=1))

        assert caught.value.because is Because.EXCLUDED
        assert not Entry.objects.exists()

    def test_a_fee_that_is_waived(self, pool, moderator):
        request = RequestFactory(pool=pool, approved=True)
        exclude(request.user)

        with pytest.raises(PlaceRefused) as caught:
            grant_place(request=request, by=moderator, now=database_now(), waiver_reason="a friend")

        assert caught.value.because is Because.EXCLUDED

    def test_buying_back_in(self):
        pool = generous_pool()
        entry = fallen_in(pool)
        exclude(entry.user)

        assert refusal(ask_to_buy_back, entry_id=entry.pk, user=entry.user) is Code.EXCLUDED

    def test_a_buy_back_that_was_asked_for_before(self):
        pool = generous_pool()
        entry = fallen_in(pool)
        request = ask_to_buy_back(entry_id=entry.pk, user=entry.user, now=database_now())
        exclude(entry.user)

        with pytest.raises(PlaceRefused) as caught:
            grant_place(request=request, by=None, now=database_now())

        assert caught.value.because is Because.EXCLUDED

    def test_a_file_of_entries(self, pool, tmp_path):
        file = tmp_path / "entries.csv"
        file.write_text("entry,owner,round,team\nada-1,ada,1,ANT\nbob-1,bob,1,BAT\n")
        import_entries(pool=pool, rows=RowFile(file))
        exclude(Entry.objects.get(reference="ada-1").user)
        file.write_text("entry,owner,round,team\nada-1,ada,2,CAT\nada-2,ada,1,ANT\nbob-2,bob,1,BAT\n")

        result = import_entries(pool=pool, rows=RowFile(file))

        assert [(one.line, one.reason) for one in result.refused] == [(3, "the player is excluded for now")]
        assert sorted(Entry.objects.values_list("reference", flat=True)) == ["ada-1", "bob-1", "bob-2"]


class TestWhatIsPaid:
    def test_an_entry_plays_on_and_is_picked_for(self, api, pool, player):
        entry = EntryFactory(in_pool=pool, owner=player)
        exclude(player)
        outbox.drain()

        answer = api(player).put(f"/api/v1/entries/{entry.pk}/picks/1", {"team": "ANT"}, format="json")

        assert answer.status_code == 200
        assert fresh(entry).status == "active"
        assert Pick.objects.count() == 1

    def test_an_exclusion_withdraws_what_is_not(self, player, moderator):
        full = PoolFactory(capacity=1)
        held = RequestFactory(pool=full, user=player, approved=True)
        waiting, next_one = RequestFactory(pool=full, user=player, number=2), RequestFactory(pool=full)
        for request in (waiting, next_one):
            waitlist_request(request=request, by=moderator, now=database_now())
        pending = RequestFactory(user=player)
        entry = EntryFactory(owner=player)
        others = RequestFactory()

        exclude(player)
        outbox.drain()

        assert [fresh(one).status for one in (held, waiting, pending)] == ["withdrawn"] * 3
        assert fresh(next_one).status == "approved"
        assert (fresh(entry).status, fresh(entry.request).status) == ("active", "approved")
        assert fresh(others).status == "pending"

    def test_what_staff_exclude_is_withdrawn_in_their_name(self, pool, player, moderator, mailoutbox):
        request = RequestFactory(pool=pool, user=player, approved=True)

        exclude_player(user=player, days=30, by=moderator, reason="a court")
        outbox.drain()

        assert (fresh(request).status, fresh(request).reason) == (
            "withdrawn",
            "You are excluded from new places and payments.",
        )

    def test_twice_is_as_good_as_once(self, player):
        RequestFactory(user=player, approved=True)
        exclude(player)
        exclude(player)

        outbox.drain()

        assert Request.objects.get().status == "withdrawn"

    def test_an_offer_to_buy_back_in_is_withdrawn(self):
        pool = generous_pool()
        entry = fallen_in(pool)
        request = ask_to_buy_back(entry_id=entry.pk, user=entry.user, now=database_now())

        exclude(entry.user)
        outbox.drain()

        assert fresh(request).status == "withdrawn"
        assert fresh(entry).status == "eliminated"


class TestGuards:
    """Who writes the rows without asking."""

    def test_a_request_by_raw_sql(self, pool, player):
        sql = """
            INSERT INTO entries_request (pool_id, user_id, number, status, payment_status, currency, reason,
                                         waiver_reason)
            VALUES (%s, %s, 1, 'pending', 'not_due', '', '', '')
        """
        exclude(player)

        assert attack(sql, pool.pk, player.pk) == "request_of_excluded"
        assert attack(sql, pool.pk, UserFactory().pk) is None

    def test_an_entry_by_raw_sql(self, pool, player):
        request = RequestFactory(pool=pool, user=player, paid=True)
        sql = """
            INSERT INTO entries_entry (request_id, pool_id, user_id, number, reference, status, strikes,
                                       eliminated_code)
            VALUES (%s, %s, %s, 1, '', 'active', 0, '')
        """
        exclude(player)

        assert attack(sql, request.pk, pool.pk, player.pk) == "entry_of_excluded"

    def test_many_at_once(self, pool):
        people = [UserFactory() for _ in range(3)]
        exclude(people[1])

        sql = """
            INSERT INTO entries_request (pool_id, user_id, number, status, payment_status, currency, reason,
                                         waiver_reason)
            SELECT %s, id, 1, 'pending', 'not_due', '', '', '' FROM accounts_user WHERE id = ANY(%s)
        """
        assert attack(sql, pool.pk, [one.pk for one in people]) == "request_of_excluded"
        assert attack(sql, pool.pk, [people[0].pk, people[2].pk]) is None


class TestSpendingLimits:
    """Where money is only going to be asked for, a fee that could not be paid is refused early."""

    def test_asking_for_a_place_beyond_the_limit(self, pool, player):
        set_limit(user=player, currency="usd", amount_cents=4999, now=database_now())

        assert refusal(ask_to_join, pool_id=pool.pk, user=player) is Code.SPENDING_LIMIT_REACHED

    def test_a_free_place_costs_nothing(self, player):
        set_limit(user=player, currency="usd", amount_cents=0, now=database_now())

        assert refusal(ask_to_join, pool_id=PoolFactory(entry_fee_cents=0).pk, user=player) is None

    @pytest.mark.parametrize(("limit", "code"), [(2499, Code.SPENDING_LIMIT_REACHED), (2500, None)])
    def test_buying_back_in_beyond_the_limit(self, limit, code):
        entry = fallen_in(generous_pool(fee=2500))
        set_limit(user=entry.user, currency="usd", amount_cents=limit, now=database_now())

        assert refusal(ask_to_buy_back, entry_id=entry.pk, user=entry.user) is code
