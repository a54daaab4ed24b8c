"""Places lost after they were paid for: fees that went back, disputes that were lost."""

import pytest
from django.db import IntegrityError, connection, transaction

from config.clock import database_now
from config.errors import Conflict
from config.models import OutboxMessage
from entries.models import EntryChange, Request, RequestChange
from entries.services.approvals import waitlist_request
from entries.services.lost_places import NothingPaid, lose_return, take_place_back, void_entry
from entries.services.requests import ask_to_join
from entries.services.settlement import settle_competition
from pools.models import Pool
from tests.factories.entries import EntryFactory, RequestFactory, pick
from tests.factories.pools import PoolFactory
from tests.support.buying_back import ask, fallen_in, fresh, generous_pool, pay, settle
from tests.support.playing import enter, play
from tests.support.ruling import reverse, rule

pytestmark = pytest.mark.django_db


def take(request, by=None):
    return take_place_back(request=request, by=by, reason="asked for it")


def refused(sql, values=None):
    """The name of the guard that refuses the statement."""
    with pytest.raises(IntegrityError) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, values)
    return caught.value.__cause__.diag.constraint_name


def hurried():
    return list(OutboxMessage.objects.filter(kind="results.arrived").order_by("id").values_list("key", flat=True))


class TestFeesThatGoBack:
    def test_the_place_becomes_void_and_the_fee_refunded(self, finance):
        entry = EntryFactory()
        pick(entry, 1, "ANT")
        assert take(entry.request, by=finance) == entry
        entry, request = fresh(entry), fresh(entry.request)
        assert (entry.status, entry.picks.count()) == ("void", 1)
        assert (request.status, request.payment_status) == ("approved", "refunded")
        for changes, subject in ((EntryChange, entry), (RequestChange, request)):
            change = changes.objects.filter(subject_id=subject.pk).last()
            assert (change.actor_id, change.reason) == (finance.pk, "asked for it")
        assert hurried() == [f"results-refund-{request.pk}"]

    def test_a_second_time_changes_nothing(self):
        entry = EntryFactory()
        take(entry.request)
        changes = RequestChange.objects.count()
        assert take(entry.request) == entry
        assert RequestChange.objects.count() == changes

    @pytest.mark.parametrize("fields", [{}, {"approved": True}, {"status": "withdrawn"}])
    def test_what_is_not_paid_is_refused(self, fields):
        request = RequestFactory(**fields)
        with pytest.raises(NothingPaid) as caught:
            take(request)
        assert caught.value.details == {"from": request.payment_status, "to": "refunded"}

    def test_a_winner_loses_the_prize_and_the_others_share_what_is_left(self):
        pool = PoolFactory()
        winner, other = enter(pool, "ANT", "CAT"), enter(pool, "ANT")
        play(pool, 1), play(pool, 2)
        assert (fresh(winner).status, fresh(winner).prize_cents) == ("winner", 10000)
        take(winner.request)
        settle(pool)
        assert (fresh(winner).status, fresh(winner).prize_cents) == ("void", None)
        assert (fresh(other).status, fresh(other).prize_cents) == ("winner", 5000)

    def test_one_that_is_out_already_becomes_void_too(self):
        pool = generous_pool()
        entry = fallen_in(pool)
        take(entry.request)
        assert (fresh(entry).status, fresh(entry).eliminated_round_number) == ("void", 1)

    def test_the_number_is_free_again(self, player):
        pool = PoolFactory(max_entries_per_user=1, minimum_age=0)
        entry = EntryFactory(in_pool=pool, owner=player)
        take(entry.request)
        again = ask_to_join(pool_id=pool.pk, user=player, now=database_now())
        assert again.number == 1

    def test_the_place_goes_to_the_first_who_waits(self, moderator):
        pool = PoolFactory(capacity=1)
        entry = EntryFactory(in_pool=pool)
        waiting = [waitlist_request(request=RequestFactory(pool=pool), by=moderator, now=database_now()) for _ in "12"]
        take(entry.request)
        assert [fresh(request).status for request in waiting] == ["approved", "pending"]
        assert list(pool.requests.holding_a_place()) == waiting[:1]
        assert OutboxMessage.objects.get(kind="mail.request_promoted").payload == {"request": waiting[0].pk}

    def test_what_the_caller_writes_next_is_his_own_doing(self, moderator, finance):
        pool = PoolFactory(capacity=1)
        entry = EntryFactory(in_pool=pool)
        waitlist_request(request=RequestFactory(pool=pool), by=moderator, now=database_now())
        take(entry.request, by=finance)
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('outlast.actor'), current_setting('outlast.reason')")
            assert cursor.fetchone() == (str(finance.pk), "asked for it")

    def test_in_a_cancelled_pool_nothing_is_settled(self):
        pool = PoolFactory()
        entry = EntryFactory(in_pool=pool)
        Pool.objects.filter(pk=pool.pk).update(status="cancelled")
        take(entry.request)
        assert (fresh(entry).status, hurried()) == ("void", [])

    def test_a_disqualified_entry_whose_fee_went_back_never_returns(self):
        entry = enter(PoolFactory(), "ANT")
        ruling = rule("disqualify", entry=entry)
        take(entry.request)
        with pytest.raises(Conflict, match="given back"):
            reverse(ruling)
        sql = "SET LOCAL outlast.correction = 'x'; UPDATE entries_entry SET status = 'active' WHERE id = {}"
        assert refused(sql.format(entry.pk)) == "entry_needs_payment"

    def test_its_place_cannot_be_paid_for_again(self):
        entry = EntryFactory()
        take(entry.request)
        for assignment in ("payment_status = 'completed'", "status = 'withdrawn', payment_status = 'not_due'"):
            sql = f"UPDATE entries_request SET {assignment} WHERE id = %s"
            assert refused(sql, [entry.request_id]) == "request_refund_is_final"


class TestReturnsThatGoBack:
    @pytest.fixture
    def pool(self):
        return generous_pool()

    @pytest.fixture
    def bought(self, pool):
        asked = ask(fallen_in(pool))
        pay(asked)
        settle(pool)
        return fresh(asked)

    def test_the_return_is_revoked_and_the_entry_falls_again(self, pool, bought):
        entry = bought.bought_entry
        assert entry.status == "active"
        assert take(bought) == entry
        settle(pool)
        assert (fresh(entry).status, fresh(entry).eliminated_round_number) == ("eliminated", 1)
        assert fresh(bought).payment_status == "refunded"
        assert bought.reprieve.revoked_at is not None
        assert fresh(entry.request).payment_status == "completed"
        assert hurried()[-1] == f"results-refund-{bought.pk}"

    def test_a_second_time_changes_nothing(self, bought):
        take(bought)
        revoked_at = fresh(bought.reprieve).revoked_at
        take(bought)
        assert fresh(bought.reprieve).revoked_at == revoked_at

    def test_an_entry_can_buy_back_in_again(self, pool, bought):
        take(bought)
        settle(pool)
        again = ask(fresh(bought.bought_entry))
        assert again.pk != bought.pk
        pay(again)
        settle(pool)
        assert fresh(bought.bought_entry).status == "active"

    def test_the_place_can_be_taken_back_with_its_returns_in_any_order(self, pool, bought):
        entry = bought.bought_entry
        take(entry.request), take(bought)
        settle(pool)
        assert fresh(entry).status == "void"
        assert set(entry.buy_backs.values_list("payment_status", flat=True)) == {"refunded"}

    def test_nobody_moves_up_from_the_waiting_list(self, pool, bought, moderator):
        Pool.objects.filter(pk=pool.pk).update(capacity=3, status="open")
        waiting = RequestFactory(pool=pool, waitlisted_at=database_now())
        take(bought)
        assert fresh(waiting).status == "pending"

    @pytest.mark.parametrize("change", ["revoked_at = NULL", "revoked_at = now() + interval '1 day'"])
    def test_a_revoked_reprieve_stays_so(self, bought, change):
        take(bought)
        assert refused(f"UPDATE entries_reprieve SET {change}") == "reprieve_stays"


class TestLostDisputes:
    def test_the_entry_becomes_void_and_its_fee_stays_in_the_pot(self, finance):
        pool = PoolFactory()
        lost, _other = enter(pool, "ANT"), enter(pool, "BAT")
        assert void_entry(entry=lost, by=finance, reason="dispute lost").status == "void"
        assert fresh(lost.request).payment_status == "completed"
        change = EntryChange.objects.filter(subject_id=lost.pk).last()
        assert (change.actor_id, change.reason) == (finance.pk, "dispute lost")
        assert hurried() == [f"results-void-{lost.request_id}"]

    def test_a_second_time_changes_nothing(self):
        entry = EntryFactory()
        void_entry(entry=entry, by=None, reason="lost")
        changes = EntryChange.objects.count()
        assert void_entry(entry=entry, by=None, reason="lost").status == "void"
        assert EntryChange.objects.count() == changes

    def test_the_others_share_the_whole_pot(self):
        pool = PoolFactory()
        lost, other = enter(pool, "ANT", "CAT"), enter(pool, "ANT", "CAT")
        play(pool, 1), play(pool, 2)
        void_entry(entry=lost, by=None, reason="lost")
        settle_competition(competition_id=pool.competition_id)
        assert (fresh(other).status, fresh(other).prize_cents) == ("winner", 10000)

    def test_the_place_stays_taken(self, moderator):
        pool = PoolFactory(capacity=1)
        entry = EntryFactory(in_pool=pool)
        waiting = waitlist_request(request=RequestFactory(pool=pool), by=moderator, now=database_now())
        void_entry(entry=entry, by=None, reason="lost")
        assert fresh(waiting).status == "pending"


class TestLostReturns:
    @pytest.fixture
    def bought(self):
        """A paid buy-back, and the entry that it brought back."""
        request = ask(fallen_in(generous_pool()))
        pay(request), settle(request.pool)
        return request

    def test_the_entry_is_out_again_and_its_fee_stays_in_the_pot(self, bought):
        entry = bought.bought_entry
        assert fresh(entry).status == "active"

        lose_return(request=bought, by=None, reason="dispute lost")
        settle(bought.pool)

        assert fresh(entry).status == "eliminated"
        assert fresh(bought).payment_status == "completed"
        assert f"results-return-{bought.pk}" in hurried()

    def test_a_second_time_changes_nothing(self, bought):
        lose_return(request=bought, by=None, reason="dispute lost")
        at = bought.bought_entry.reprieves.get().revoked_at

        lose_return(request=bought, by=None, reason="dispute lost")

        assert bought.bought_entry.reprieves.get().revoked_at == at

    def test_a_place_is_no_return(self):
        entry = EntryFactory()

        lose_return(request=entry.request, by=None, reason="dispute lost")

        assert fresh(entry).status == "active"


def test_a_refunded_number_is_one_that_the_player_can_have_again_and_only_once():
    entry = EntryFactory()
    take(entry.request)
    RequestFactory(pool=entry.pool, user=entry.user, number=1)
    with pytest.raises(IntegrityError, match="request_number_unique"), transaction.atomic():
        RequestFactory(pool=entry.pool, user=entry.user, number=1)
    assert Request.objects.filter(pool=entry.pool, user=entry.user).count() == 2
