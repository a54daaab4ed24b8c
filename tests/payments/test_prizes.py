"""Prizes in the books: booked once, booked anew when a result is corrected, and never more than the pot."""

import pytest
from django.db import IntegrityError, connection, transaction

from config import outbox
from config.clock import database_now
from config.models import OutboxMessage
from payments.ledger import rules
from payments.ledger.accounts import AccountName, Kind
from payments.ledger.balances import balance_of
from payments.ledger.models import JournalEntry, Posting
from payments.ledger.posting import post
from payments.ledger.rules import Fee, Sum
from payments.models import Discrepancy, Payout, PrizeBooking
from payments.services.payouts import request_payout
from payments.services.pots import pot_of
from payments.services.prizes import book_prizes, sweep_prizes
from tests.factories.accounts import FinanceFactory, UserFactory
from tests.factories.pools import PoolFactory
from tests.support.playing import enter, play
from tests.support.winning import booked, correct, paid_in, paid_out, won_pool

pytestmark = pytest.mark.django_db


def owed_to(player, currency="usd"):
    return -balance_of(AccountName(Kind.WINNINGS_PAYABLE, player_id=player.pk), currency, livemode=False)


def journal(*, source_type="pool"):
    entries = JournalEntry.objects.filter(source_type=source_type).order_by("id")
    return list(entries.values_list("source_id", "event"))


def refused(sql):
    with pytest.raises(IntegrityError) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    return caught.value.__cause__.diag.constraint_name


class TestBooking:
    def test_the_pot_goes_to_the_winner(self):
        pool, winner, loser = won_pool()
        booking = booked(pool)
        assert (booking.number, booking.prizes, booking.amount_cents) == (1, {str(winner.pk): 10000}, 10000)
        assert (pot_of(pool), owed_to(winner.user), owed_to(loser.user)) == (0, 10000, 0)
        assert journal() == [(f"{pool.pk}:1", "settled")]

    def test_settling_leaves_the_message_that_books(self):
        pool, winner, _ = won_pool()
        assert OutboxMessage.objects.filter(kind="prizes.changed", payload={"pool": pool.pk}).exists()
        OutboxMessage.objects.exclude(kind="prizes.changed").delete()
        outbox.drain()
        assert owed_to(winner.user) == 10000

    def test_a_second_time_books_nothing(self):
        pool, *_ = won_pool()
        assert booked(pool) == booked(pool)
        assert (PrizeBooking.objects.count(), len(journal())) == (1, 1)

    def test_a_pool_in_play_has_no_prizes(self):
        pool = PoolFactory()
        paid_in(pool, "ANT"), paid_in(pool, "ANT")
        play(pool, 1)
        assert booked(pool) is None
        assert journal() == []

    def test_several_prizes_of_one_player_are_one_line(self):
        pool, player = PoolFactory(), UserFactory()
        for number in (1, 2):
            paid_in(pool, "ANT", "CAT", user=player, number=number)
        paid_in(pool, "BAT")
        play(pool, 1), play(pool, 2), play(pool, 3)
        pool.refresh_from_db()
        assert pool.status == "finished"
        booking = booked(pool)
        assert sorted(booking.prizes.values()) == [7500, 7500]
        assert owed_to(player) == 15000
        assert Posting.objects.filter(journal_entry__source_type="pool").count() == 2

    def test_prizes_that_are_not_the_pot_are_not_booked(self):
        pool, winner = PoolFactory(), None
        winner = paid_in(pool, "ANT", "CAT")
        # A place that nobody booked.
        enter(pool, "ANT", "DOG")
        play(pool, 1), play(pool, 2)
        assert booked(pool) is None
        assert journal() == []
        (doubt,) = Discrepancy.objects.filter(kind="pot_short")
        assert doubt.object_key == f"prizes:{pool.pk}"
        assert doubt.details == {"pool": pool.pk, "prizes_cents": 10000, "pot_cents": 5000}
        assert (doubt.amount_cents, doubt.currency) == (5000, "usd")
        assert owed_to(winner.user) == 0


class TestCorrections:
    def test_what_was_booked_is_reversed_and_booked_anew(self):
        pool, winner, loser = won_pool()
        first = booked(pool)
        correct(pool)
        second = booked(pool)
        assert (second.number, second.prizes) == (2, {str(loser.pk): 10000})
        assert journal() == [
            (f"{pool.pk}:1", "settled"), (f"{pool.pk}:1", "settlement_reversed"), (f"{pool.pk}:2", "settled"),
        ]  # fmt: skip
        settled, reversed_, _ = JournalEntry.objects.filter(source_type="pool").order_by("id")
        assert reversed_.reverses == settled
        assert (owed_to(winner.user), owed_to(loser.user), pot_of(pool)) == (0, 10000, 0)
        assert first.prizes == {str(winner.pk): 10000}

    def test_a_pool_that_opens_again_has_its_pot_back(self):
        pool, winner, _ = won_pool()
        booked(pool)
        with connection.cursor() as cursor:
            cursor.execute(
                "SET LOCAL outlast.correction = 'x'; UPDATE entries_entry SET status = 'active', prize_cents = NULL,"
                " eliminated_round_number = NULL, eliminated_code = '', rules_version = NULL;"
                " UPDATE pools_pool SET status = 'running', settled_at = NULL, ended_round_number = NULL"
            )
        again = booked(pool)
        assert (again.number, again.prizes, again.amount_cents) == (2, {}, 0)
        assert (pot_of(pool), owed_to(winner.user)) == (10000, 0)
        assert booked(pool) == again

    def test_what_was_paid_too_much_becomes_visible(self):
        pool, winner, loser = won_pool()
        booked(pool)
        payout = paid_out(winner)
        correct(pool)
        booked(pool)
        assert (owed_to(winner.user), owed_to(loser.user)) == (-10000, 10000)
        (doubt,) = Discrepancy.objects.filter(kind="prize_overpaid")
        assert (doubt.object_key, doubt.details["over_cents"]) == (f"prize:{pool.pk}:{winner.user_id}", 10000)
        payout.refresh_from_db()
        assert payout.status == "paid"

    def test_a_payout_that_waits_for_another_prize_is_cancelled(self):
        pool, winner, _ = won_pool()
        booked(pool)
        payout = request_payout(entry_id=winner.pk, by=FinanceFactory())
        correct(pool)
        booked(pool)
        payout.refresh_from_db()
        assert payout.status == "cancelled"


class TestSweep:
    def test_it_finds_what_is_not_booked_and_nothing_else(self):
        _pool, winner, _ = won_pool()
        assert sweep_prizes() == 1
        assert owed_to(winner.user) == 10000
        assert sweep_prizes() == 0

    def test_it_finds_what_another_split_makes_of_the_same_sum(self):
        pool, _winner, loser = won_pool()
        booked(pool)
        correct(pool)
        assert sweep_prizes() == 1
        assert owed_to(loser.user) == 10000

    def test_one_whose_prizes_cannot_be_booked_keeps_no_other_waiting(self):
        broken, *_ = won_pool()
        _, winner, _ = won_pool()
        strangers = {UserFactory().pk: 1}
        post(rules.pool_settled(f"{broken.pk}:1", broken.pk, strangers, Sum(1, "usd", False, database_now())))

        assert sweep_prizes() == 2
        assert owed_to(winner.user) == 10000
        assert not PrizeBooking.objects.filter(pool=broken).exists()

    def test_a_short_pot_is_booked_once_it_is_whole(self):
        pool, winner, _ = won_pool()
        post(rules.fee_waived(-1, Fee(pool.pk, 100, 0), Sum(100, "usd", False, database_now())))
        assert sweep_prizes() == 1
        assert Discrepancy.objects.get(kind="pot_short").status == "open"
        post(rules.waived_place_taken(-1, Fee(pool.pk, 100, 0), Sum(100, "usd", False, database_now()), None))
        sweep_prizes()
        assert Discrepancy.objects.get(kind="pot_short").status == "resolved"
        assert owed_to(winner.user) == 10000


def test_bookings_are_never_touched_again():
    pool, _winner, _ = won_pool()
    booked(pool)
    assert refused("UPDATE payments_prizebooking SET amount_cents = 1") == "append_only"
    assert refused("DELETE FROM payments_prizebooking") == "append_only"
    sql = (
        "INSERT INTO payments_prizebooking (pool_id, number, prizes, amount_cents, currency)"
        " SELECT pool_id, number, prizes, amount_cents, currency FROM payments_prizebooking"
    )
    assert refused(sql) == "prize_booking_number"
    assert Payout.objects.count() == 0
    assert book_prizes(pool_id=pool.pk).number == 1
