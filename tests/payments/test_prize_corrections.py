"""Prizes paid too much, topped up, taxed too much: by two names, in the books once, and never more than was won."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from config.clock import database_now
from config.errors import Conflict, Forbidden, Malformed
from payments.ledger.accounts import AccountName, Kind
from payments.ledger.balances import balance_of
from payments.models import Discrepancy, Payout, PrizeCorrection, PrizeCorrectionChange, TaxForm
from payments.services.manual.deciding import confirm_record, reject_record
from payments.services.payouts import PrizeNotDue, request_payout, return_payout
from payments.services.taxes import finance_year, paid_in_year
from payments.services.winners.bulk import approve_payouts, request_payouts, winners_due
from payments.services.winners.corrections import (
    approve_correction,
    bear_overpaid,
    decline_correction,
    record_repayment,
    release_withheld,
)
from payments.services.winners.standing import standing_of
from pools.models import Pool
from tests.factories.accounts import FinanceFactory, UserFactory
from tests.factories.pools import PoolFactory
from tests.payments.test_payouts import tax_year
from tests.payments.test_prizes import owed_to
from tests.support.calls import call
from tests.support.playing import play
from tests.support.winning import approved_payout, booked, cash, correct, paid_in, paid_out, won_pool

pytestmark = pytest.mark.django_db


def account(kind):
    return balance_of(AccountName(kind), "usd", livemode=False)


def refused(sql):
    with pytest.raises(IntegrityError) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    return caught.value.__cause__.diag.constraint_name


def rebook(pool, prizes):
    """Another sharing out of the same pot, as a ruling or a corrected result would leave it."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL outlast.correction = 'x'")
        for entry, cents in prizes.items():
            status = "winner" if cents else "eliminated"
            cursor.execute(
                "UPDATE entries_entry SET prize_cents = %s, status = %s, eliminated_round_number = %s,"
                " eliminated_code = %s WHERE id = %s",
                [cents or None, status, None if cents else 2, "" if cents else "lost", entry.pk],
            )
        cursor.execute("SET LOCAL outlast.correction = ''")
    return booked(Pool.objects.get(pk=pool.pk))


@pytest.fixture
def overpaid():
    """Paid a hundred dollars; after the correction it is the other one's."""
    pool, winner, _ = won_pool()
    booked(pool)
    payout = paid_out(winner)
    correct(pool)
    booked(pool)
    return payout


class TestOnePayout:
    def test_of_all_that_a_player_won(self, finance):
        pool, player = PoolFactory(), UserFactory()
        mine = [paid_in(pool, "ANT", "CAT", user=player, number=number) for number in (1, 2)]
        paid_in(pool, "BAT")
        play(pool, 1), play(pool, 2), play(pool, 3)
        booked(pool)
        payout = paid_out(mine[1])
        assert (payout.amount_cents, payout.won_cents, owed_to(player)) == (15000, 15000, 0)
        for entry in mine:
            with pytest.raises(PrizeNotDue, match="already"):
                request_payout(entry_id=entry.pk, by=finance)

    def test_a_raised_prize_is_topped_up(self, finance):
        pool, winner, loser = won_pool()
        rebook(pool, {winner: 6000, loser: 4000})
        first = paid_out(winner)
        waiting = request_payout(entry_id=loser.pk, by=finance)
        rebook(pool, {winner: 10000, loser: 0})
        assert (first.amount_cents, owed_to(winner.user), owed_to(loser.user)) == (6000, 4000, 0)
        waiting.refresh_from_db()
        assert waiting.status == "cancelled"
        top_up = paid_out(winner)
        assert (top_up.amount_cents, top_up.won_cents, top_up.booking.number) == (4000, 10000, 2)
        assert owed_to(winner.user) == 0
        # The first one comes back: it is paid again in its own place, beside the top-up.
        return_payout(payout_id=first.pk, by=finance, reason="closed")
        again = paid_out(winner)
        assert (again.amount_cents, again.replaces_id in (first.pk, top_up.pk)) == (6000, True)
        assert owed_to(winner.user) == 0

    def test_a_correction_that_leaves_the_prize_leaves_the_wish(self, finance):
        pool = PoolFactory()
        winner, *others = (paid_in(pool, "ANT", "CAT") for _ in range(3))
        paid_in(pool, "BAT")
        play(pool, 1), play(pool, 2), play(pool, 3)
        rebook(pool, {winner: 10000, others[0]: 10000, others[1]: 0})
        wish = request_payout(entry_id=winner.pk, by=finance)
        assert rebook(pool, {others[0]: 0, others[1]: 10000}).number == 2
        wish.refresh_from_db()
        assert wish.status == "requested"
        with pytest.raises(PrizeNotDue, match="already"):
            request_payout(entry_id=winner.pk, by=finance)


class TestSentBack:
    def test_it_counts_once_another_has_confirmed_it(self, api, overpaid, finance, colleague):
        record = record_repayment(payout_id=overpaid.pk, amount_cents=4000, handover=cash("back"), by=finance)
        assert owed_to(overpaid.player) == -10000
        shown = call(api(finance), "GET", f"/manual-records/{record.pk}")[1]
        assert (shown["correction"], shown["payout"]) == (record.correction_id, None)
        confirm_record(record_id=record.pk, by=colleague)
        assert (owed_to(overpaid.player), account(Kind.WRITE_OFFS)) == (-6000, 0)
        doubt = Discrepancy.objects.get(kind="prize_overpaid")
        assert (doubt.status, doubt.amount_cents, doubt.currency) == ("open", 6000, "usd")
        rest = record_repayment(payout_id=overpaid.pk, amount_cents=6000, handover=cash("rest"), by=finance)
        confirm_record(record_id=rest.pk, by=colleague)
        assert owed_to(overpaid.player) == 0
        assert Discrepancy.objects.get(kind="prize_overpaid").status == "resolved"

    def test_more_than_is_owed_and_ones_own_and_a_second_at_once_are_refused(self, overpaid, finance, colleague):
        for amount, error in ((10001, PrizeNotDue), (0, Malformed), (-1, Malformed)):
            with pytest.raises(error):
                record_repayment(payout_id=overpaid.pk, amount_cents=amount, handover=cash("x"), by=finance)
        with pytest.raises(Forbidden):
            record_repayment(payout_id=overpaid.pk, amount_cents=1, handover=cash("x"), by=overpaid.player)
        record = record_repayment(payout_id=overpaid.pk, amount_cents=1, handover=cash("x"), by=finance)
        with pytest.raises(Conflict, match="waits for a second name"):
            record_repayment(payout_id=overpaid.pk, amount_cents=1, handover=cash("y"), by=finance)
        with pytest.raises(Forbidden):
            confirm_record(record_id=record.pk, by=finance)
        correction = PrizeCorrection.objects.get()
        with pytest.raises(Conflict, match="record"):
            approve_correction(correction_id=correction.pk, by=colleague)
        with pytest.raises(Conflict, match="record"):
            decline_correction(correction_id=correction.pk, by=colleague, reason="x")
        reject_record(record_id=record.pk, by=colleague, reason="never came")
        correction.refresh_from_db()
        assert (correction.status, owed_to(overpaid.player)) == ("declined", -10000)

    def test_what_came_although_the_prize_was_raised_again_is_paid_out_again(self, overpaid, finance, colleague):
        pool = overpaid.booking.pool
        record = record_repayment(payout_id=overpaid.pk, amount_cents=4000, handover=cash("back"), by=finance)
        correct(pool, winner="CAT")
        booked(pool)
        confirm_record(record_id=record.pk, by=colleague)
        assert (owed_to(overpaid.player), standing_of(pool.pk, overpaid.player_id).due) == (4000, 4000)
        (entry,) = overpaid.player.entries.filter(pool=pool)
        assert paid_out(entry).amount_cents == 4000
        assert owed_to(overpaid.player) == 0


class TestBorne:
    def test_two_names_make_it_the_houses_loss(self, overpaid, finance, colleague):
        wish = bear_overpaid(payout_id=overpaid.pk, reason="goodwill", by=finance)
        with pytest.raises(Forbidden, match="somebody else"):
            approve_correction(correction_id=wish.pk, by=finance)
        with pytest.raises(Forbidden):
            approve_correction(correction_id=wish.pk, by=overpaid.player)
        approve_correction(correction_id=wish.pk, by=colleague)
        assert (owed_to(overpaid.player), account(Kind.WRITE_OFFS)) == (0, 10000)
        assert Discrepancy.objects.get(kind="prize_overpaid").status == "resolved"
        with pytest.raises(PrizeNotDue, match="Nothing was paid too much"):
            bear_overpaid(payout_id=overpaid.pk, reason="twice", by=finance)
        with pytest.raises(Conflict):
            approve_correction(correction_id=wish.pk, by=colleague)
        told = PrizeCorrectionChange.objects.values_list("to_status", "actor_id").order_by("id")
        assert list(told) == [("requested", finance.pk), ("done", colleague.pk)]

    def test_the_house_has_it_back_when_the_prize_is_raised_again(self, overpaid, finance, colleague):
        pool = overpaid.booking.pool
        wish = bear_overpaid(payout_id=overpaid.pk, reason="goodwill", by=finance)
        approve_correction(correction_id=wish.pk, by=colleague)
        correct(pool, winner="CAT")
        booked(pool)
        assert (owed_to(overpaid.player), account(Kind.WRITE_OFFS)) == (0, 0)
        standing = standing_of(pool.pk, overpaid.player_id)
        assert (standing.due, standing.over, standing.borne) == (0, 0, 0)

    def test_it_is_declined_with_a_reason_and_can_be_proposed_again(self, overpaid, finance, colleague):
        wish = bear_overpaid(payout_id=overpaid.pk, amount_cents=1, reason="a cent", by=finance)
        with pytest.raises(Malformed):
            decline_correction(correction_id=wish.pk, by=colleague, reason=" ")
        decline_correction(correction_id=wish.pk, by=colleague, reason="no")
        assert bear_overpaid(payout_id=overpaid.pk, reason="all", by=finance).amount_cents == 10000


class TestWithheld:
    @pytest.fixture
    def taxed(self):
        """A hundred dollars won, 24 of them withheld."""
        tax_year(withholding_bp=2400)
        pool, winner, _ = won_pool()
        booked(pool)
        return paid_out(winner)

    def release(self, payout, finance, colleague, **given):
        wish = release_withheld(payout_id=payout.pk, reason="the form came", by=finance, **given)
        return approve_correction(correction_id=wish.pk, by=colleague)

    def test_what_was_withheld_too_much_is_paid_out_once_the_form_is_there(self, taxed, finance, colleague):
        (entry,) = taxed.player.entries.all()
        TaxForm.objects.create(
            player=taxed.player,
            form="W-9",
            received_on=timezone.now().date(),
            tin_last_four="1234",
            recorded_by=finance,
        )
        self.release(taxed, finance, colleague)
        assert (owed_to(taxed.player), account(Kind.TAX_WITHHELD)) == (2400, 0)
        rest = paid_out(entry)
        assert (rest.amount_cents, rest.withheld_cents, rest.replaces_id) == (2400, 0, taxed.pk)
        assert (owed_to(taxed.player), account(Kind.TAX_WITHHELD)) == (0, 0)
        year = finance_year(database_now())
        assert paid_in_year(player=taxed.player, currency="usd", livemode=False, year=year) == 10000
        with pytest.raises(PrizeNotDue, match="already"):
            request_payout(entry_id=entry.pk, by=finance)

    def test_not_more_than_that_and_not_of_a_year_that_is_over(self, taxed, finance, colleague):
        with pytest.raises(PrizeNotDue, match="are withheld"):
            release_withheld(payout_id=taxed.pk, amount_cents=2401, reason="x", by=finance)
        self.release(taxed, finance, colleague, amount_cents=2000)
        with pytest.raises(PrizeNotDue, match="are withheld"):
            release_withheld(payout_id=taxed.pk, amount_cents=401, reason="x", by=finance)
        with connection.cursor() as cursor:
            cursor.execute("UPDATE payments_payout SET paid_at = paid_at - interval '1 year'")
        with pytest.raises(PrizeNotDue, match="year of this payout is over"):
            release_withheld(payout_id=taxed.pk, amount_cents=400, reason="x", by=finance)

    def test_one_that_comes_back_after_that_owes_no_more_than_it_brought(self, taxed, finance, colleague):
        self.release(taxed, finance, colleague)
        return_payout(payout_id=taxed.pk, by=finance, reason="closed")
        assert (owed_to(taxed.player), account(Kind.TAX_WITHHELD)) == (10000, 0)

    def test_the_newest_form_counts_and_an_old_year_is_none(self, taxed, finance):
        (entry,) = taxed.player.entries.all()
        return_payout(payout_id=taxed.pk, by=finance, reason="closed")
        given = {"player": taxed.player, "form": "W-9", "received_on": "2026-01-01", "recorded_by": finance}
        TaxForm.objects.create(**given)
        assert approved_payout(entry).withheld_cents == 0
        Payout.objects.filter(status="approved").update(status="cancelled")
        TaxForm.objects.create(**given, valid_through_year=2020)
        assert request_payout(entry_id=entry.pk, by=finance).withheld_cents == 2400

    def test_what_was_paid_in_another_year_does_not_count(self, finance):
        tax_year(threshold_cents=15000)
        pool, winner, _ = won_pool()
        booked(pool)
        paid_out(winner)
        other = PoolFactory()
        mine = paid_in(other, "ANT", "CAT", user=winner.user)
        paid_in(other, "ANT", "DOG")
        play(other, 1), play(other, 2)
        booked(other)
        with pytest.raises(Conflict, match="W-9"):
            request_payout(entry_id=mine.pk, by=finance)
        with connection.cursor() as cursor:
            cursor.execute("UPDATE payments_payout SET paid_at = paid_at - interval '1 year'")
        assert request_payout(entry_id=mine.pk, by=finance).withheld_cents == 0


class TestMany:
    def test_all_winners_of_a_pool_are_asked_for_and_approved_at_once(self, finance, colleague):
        pool = PoolFactory()
        players = [paid_in(pool, "ANT", "CAT").user for _ in range(3)]
        paid_in(pool, "BAT")
        play(pool, 1), play(pool, 2), play(pool, 3)
        booked(pool)
        tax_year(country=players[0].country, threshold_cents=1)
        for player in players[1:]:
            TaxForm.objects.create(player=player, form="W-9", received_on="2026-01-01", recorded_by=finance)
        outcome = request_payouts(pool_id=pool.pk, by=finance)
        assert [one.player for one in outcome.done] == players[1:]
        assert [(one.subject, one.code) for one in outcome.refused] == [(players[0].pk, "TAX_FORM_MISSING")]
        assert winners_due(pool) == {players[0].pk: 6667}
        assert len(request_payouts(pool_id=pool.pk, by=finance).done) == 0
        ids = [one.pk for one in outcome.done]
        mixed = approve_payouts(payout_ids=[*ids, ids[0], 10**9], by=colleague)
        assert ([one.pk for one in mixed.done], [one.code for one in mixed.refused]) == (ids, ["NOT_FOUND"])


class TestGuards:
    def test_the_database_refuses_it_as_well(self, overpaid, finance, colleague):
        wish = bear_overpaid(payout_id=overpaid.pk, reason="goodwill", by=finance)
        table = "payments_prizecorrection"
        copy = (
            f"INSERT INTO {table} (pool_id, player_id, payout_id, kind, amount_cents, currency, livemode, reason,"
            " status, requested_by_id) SELECT pool_id, player_id, payout_id, {kind}, amount_cents, currency, livemode,"
            f" reason, {{status}}, {{by}} FROM {table}"
        )
        usual = {"kind": "kind", "status": "'declined'", "by": "requested_by_id"}
        assert refused(copy.format(**usual | {"status": "status"})) == "prize_correction_at_a_time"
        assert refused(copy.format(**usual | {"kind": "'came_back'"})) == "prize_correction_of_payout"
        assert refused(copy.format(**usual | {"by": "NULL"})) == "prize_correction_two_names"
        assert refused(f"UPDATE {table} SET status = 'done'") == "prize_correction_two_names"
        assert refused(f"UPDATE {table} SET status = 'done', decided_by_id = requested_by_id") == (
            "prize_correction_two_names"
        )
        assert refused(f"UPDATE {table} SET amount_cents = 1") == "prize_correction_stays"
        approve_correction(correction_id=wish.pk, by=colleague)
        assert refused(f"UPDATE {table} SET decided_by_id = requested_by_id + 1000") == "prize_correction_stays"
        assert refused(f"UPDATE {table} SET status = 'requested'") == "status_map"
        assert refused(f"DELETE FROM {table}") == "never_deleted"

    def test_a_payout_never_exceeds_the_prize_whatever_it_replaces(self, overpaid):
        copy = (
            "INSERT INTO payments_payout (ref, booking_id, player_id, replaces_id, provider, livemode, won_cents,"
            " amount_cents, currency, status, reason, requested_by_id) SELECT gen_random_uuid(), {booking}, {player},"
            " id, provider, livemode, won_cents, 1, currency, 'requested', '', requested_by_id FROM payments_payout"
        )
        latest = overpaid.booking.pool.prize_bookings.latest("pk").pk
        assert refused(copy.format(booking=latest, player="player_id")) == "payout_within_prize"
        assert refused(copy.format(booking=latest, player=FinanceFactory().pk)) == "payout_of_its_prize"
