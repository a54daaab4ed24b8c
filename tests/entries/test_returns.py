"""The way back in once it is asked for: paid, too late, expired, withdrawn; and what the entry is afterwards."""

from datetime import timedelta

import pytest
from django.db import connection

from accounts.services.closing import close_account
from config import outbox
from config.clock import database_now
from config.errors import Code, DomainError
from config.models import OutboxMessage
from config.states import CORRECTION_SETTING
from entries.models import PaymentStatus, Pick, Reprieve, Request, RequestStatus
from entries.services.expiry import expire_unpaid
from entries.services.places import Because, PlaceRefused
from entries.services.requests import withdraw_request
from pools.models import Game, PoolStatus
from tests.factories.entries import pick
from tests.factories.pools import CODES, PoolFactory, finish, league, lock_round, play_round
from tests.support.buying_back import ask, fallen_in, fresh, generous_pool, pay, refusal, settle
from tests.support.playing import enter, play, void

pytestmark = pytest.mark.django_db


@pytest.fixture
def pool():
    return generous_pool()


@pytest.fixture
def fallen(pool, player):
    return fallen_in(pool, owner=player)


class TestPaying:
    def test_the_entry_is_back_and_plays_the_next_round(self, pool, fallen):
        assert pay(ask(fallen)) == fallen
        reprieve = Reprieve.objects.get()
        assert (reprieve.from_round_number, reprieve.before_round_number) == (1, 2)
        settle(pool)
        back = fresh(fallen)
        assert (back.status, back.eliminated_round_number, back.eliminated_code, back.strikes) == (
            "active",
            None,
            "",
            0,
        )
        pick(back, 2, "CAT")
        play(pool, 2)
        assert fresh(fallen).status == "active"

    def test_settlement_is_hurried(self, pool, fallen):
        pay(ask(fallen))
        outbox.drain()
        assert OutboxMessage.objects.filter(kind="results.arrived", done_at__isnull=False).exists()
        assert fresh(fallen).status == "active"

    def test_it_falls_again_like_anybody(self, pool, fallen):
        pay(ask(fallen))
        settle(pool)
        play(pool, 2)
        assert (fresh(fallen).eliminated_round_number, fresh(fallen).eliminated_code) == (2, "no_pick")

    def test_rounds_locked_before_its_return_cost_nothing(self, pool, fallen):
        play(pool, 2)
        pay(ask(fallen))
        settle(pool)
        assert (fresh(fallen).status, fresh(fallen).strikes) == ("active", 0)

    def test_used_teams_stay_used(self, pool, fallen):
        pay(ask(fallen))
        settle(pool)
        assert Pick.objects.filter(entry=fallen, team__code="BAT").exists()

    def test_after_the_lock_it_is_too_late(self, pool, fallen):
        request, paid_at = ask(fallen), database_now()
        lock_round(pool.competition.rounds.get(number=2))
        with pytest.raises(PlaceRefused) as caught:
            pay(request, paid_at=paid_at)
        assert caught.value.because == Because.TOO_LATE
        assert (request.payment_status, fresh(request).payment_status) == ("pending", "pending")
        assert not Reprieve.objects.exists()

    def test_money_for_a_fall_that_was_undone_is_not_needed(self, pool, fallen):
        request = ask(fallen)
        lost = Game.objects.get(round__number=1, away__code="BAT")
        finish(lost, 10, 20)
        settle(pool)
        assert fresh(fallen).status == "active"
        with pytest.raises(PlaceRefused) as caught:
            pay(request)
        assert caught.value.because == Because.NOT_NEEDED

    def test_money_for_a_disqualified_entry_is_refused(self, fallen):
        request = ask(fallen)
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config(%s, 'ruling', true)", [CORRECTION_SETTING])
        void(fallen)
        with pytest.raises(PlaceRefused) as caught:
            pay(request)
        assert caught.value.because == Because.ENTRY_VOID

    def test_it_is_paid_once(self, fallen):
        request = ask(fallen)
        pay(request)
        with pytest.raises(PlaceRefused) as caught:
            pay(request)
        assert caught.value.because == Because.ALREADY_PAID


class TestExpiry:
    def test_it_expires_at_the_lock_and_frees_no_place(self, pool, fallen):
        request = ask(fallen)
        Request.objects.filter(pk=request.pk).update(pay_by=database_now() - timedelta(seconds=1))
        assert expire_unpaid(now=database_now()) == 1
        assert (fresh(request).status, fresh(request).payment_status) == (
            RequestStatus.EXPIRED, PaymentStatus.NOT_DUE,
        )  # fmt: skip
        assert OutboxMessage.objects.filter(kind="mail.buy_back_expired").exists()

    def test_a_kickoff_moved_to_an_earlier_time_ends_it_with_the_lock(self, pool, fallen):
        request = ask(fallen)
        lock_round(pool.competition.rounds.get(number=2))
        assert request.pay_by > database_now()
        assert refusal(fallen).code == Code.DEADLINE_PASSED
        assert expire_unpaid(now=database_now()) == 1
        assert ask(fallen).resumes_round_number == 3

    def test_the_player_withdraws_and_staff_with_a_reason(self, fallen, moderator):
        request = withdraw_request(request=ask(fallen), by=fallen.user, now=database_now())
        assert request.status == "withdrawn"
        withdraw_request(request=ask(fallen), by=moderator, now=database_now(), reason="Asked for by phone.")
        assert OutboxMessage.objects.filter(kind="mail.buy_back_withdrawn").count() == 1

    def test_one_that_is_paid_cannot_be_withdrawn(self, fallen):
        request = ask(fallen)
        pay(request)
        with pytest.raises(DomainError) as caught:
            withdraw_request(request=request, by=fallen.user, now=database_now())
        assert caught.value.code == Code.ALREADY_PAID


class TestMails:
    def mail(self, mailoutbox):
        outbox.drain()
        return mailoutbox[-1]

    def test_what_to_pay_until_when(self, fallen, mailoutbox, settings):
        request = ask(fallen)
        mail = self.mail(mailoutbox)
        assert (mail.to, mail.subject) == ([fallen.user.email], f"Buying back in: {fallen.pool.name}")
        assert "entry number 1 of" in mail.body
        assert "fell in round 1, and may buy back in.\n\nPay 25.00 USD by " in mail.body
        assert "when round 2 locks; from that round on it plays again." in mail.body
        assert f"POST {settings.PUBLIC_URL}/api/v1/requests/{request.pk}/payment" in mail.body
        assert "<strong>25.00 USD</strong>" in mail.alternatives[0][0]

    def test_being_back(self, fallen, mailoutbox):
        pay(ask(fallen))
        outbox.drain()
        subjects = [mail.subject for mail in mailoutbox]
        # The offer is not sent any more: it is not true when the mail would go out.
        assert subjects == [f"You are back in: {fallen.pool.name}"]
        assert "It plays again from round 2." in mailoutbox[0].body

    def test_its_expiry(self, fallen, mailoutbox):
        Request.objects.filter(pk=ask(fallen).pk).update(pay_by=database_now() - timedelta(seconds=1))
        expire_unpaid(now=database_now())
        assert "did not arrive before round 2 locked, so the entry stays out." in self.mail(mailoutbox).body

    def test_its_withdrawal_by_staff(self, fallen, moderator, mailoutbox):
        withdraw_request(request=ask(fallen), by=moderator, now=database_now(), reason="A <test>.")
        mail = self.mail(mailoutbox)
        assert "was taken back by our staff:\n\nA <test>." in mail.body
        assert "A &lt;test&gt;." in mail.alternatives[0][0]


def test_the_pool_does_not_end_before_the_fallen_could_come_back(player):
    pool = PoolFactory(
        competition=league(rounds=4, codes=CODES),
        rules={"buy_back_until": 2, "buy_back_limit": 1, "buy_back_fee_cents": 100},
    )
    living, entry = enter(pool, "ANT", "CAT"), enter(pool, "BAT", owner=player)
    play(pool, 1)
    assert fresh(pool).status != PoolStatus.FINISHED
    pay(ask(entry))
    settle(pool)
    assert (fresh(entry).status, fresh(living).status) == ("active", "active")


def test_the_last_one_wins_once_nobody_can_come_back(player):
    pool = PoolFactory(
        competition=league(rounds=4, codes=CODES),
        rules={"buy_back_until": 2, "buy_back_limit": 1, "buy_back_fee_cents": 100},
    )
    living, entry = enter(pool, "ANT", "CAT"), enter(pool, "BAT", owner=player)
    play(pool, 1)
    request = ask(entry)
    play_round(pool.competition.rounds.get(number=2), winners=set())
    settle(pool)
    assert (fresh(pool).status, fresh(living).status) == (PoolStatus.FINISHED, "winner")
    with pytest.raises(PlaceRefused) as caught:
        pay(request)
    assert caught.value.because == Because.POOL_CLOSED


def test_the_way_back_of_a_closed_account_expires_without_a_mail(fallen, player, mailoutbox):
    request = ask(fallen)
    close_account(user=player, now=database_now())
    Request.objects.filter(pk=request.pk).update(pay_by=database_now() - timedelta(seconds=1))
    assert expire_unpaid(now=database_now()) == 1
    outbox.drain()
    assert mailoutbox == []
    assert refusal(fallen, fresh(player)).code == Code.NOT_ELIGIBLE
