"""Prizes sent through a provider that drops, delays, faults and refuses: each once, or not at all; never a guess."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db.models import F

from config import outbox
from config.clock import database_now
from config.errors import Forbidden, Malformed
from entries.services.lost_places import suspend_entry
from payments.ledger.accounts import AccountName, Kind
from payments.ledger.balances import balance_of
from payments.models import Discrepancy, Movement, Payout, PrizeCorrection
from payments.providers import provider_named
from payments.providers.base import TransferOrder
from payments.providers.faults import NotThere, Rejected
from payments.services.payouts import (
    PrizeNotDue,
    approve_payout,
    cancel_payout,
    hand_over,
    request_payout,
    return_payout,
)
from payments.services.winners import sending
from payments.services.winners.accounts import confirm_account, record_account, reject_account, retire_account
from payments.services.winners.mirroring import WrongTransfer, apply_transfer, apply_transfer_facts
from payments.services.winners.sending import ask_about, order_of, send_payout, sweep_payouts
from tests.factories.accounts import FinanceFactory
from tests.payments.test_prizes import journal, owed_to
from tests.support.payments import TROUBLE
from tests.support.winning import account_of, approved_payout, booked, cash, correct, paid_out, won_pool

TRANSFERS = "/v1/transfers"
NOW = timedelta()


@pytest.fixture
def winner(double):
    """Won a hundred dollars, and has an account at Stripe, which has two hundred to send."""
    pool, winner, _ = won_pool()
    booked(pool)
    account_of(winner.user)
    double.fund(30_000)
    return winner


def at_stripe(double):
    return [(one["amount"], one["amount_reversed"]) for one in double.state()["objects"].get("transfer", [])]


def fresh(payout):
    return Payout.objects.get(pk=payout.pk)


def clearing():
    return balance_of(AccountName(Kind.CLEARING, provider="stripe"), "usd", livemode=False)


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
class TestTrouble:
    @pytest.mark.slow
    @pytest.mark.parametrize("rule", TROUBLE, ids=lambda rule: rule["action"])
    def test_it_ends_in_one_transfer(self, winner, double, rule):
        payout, before = approved_payout(winner), clearing()
        # More often than the client tries by itself.
        double.fault(method="POST", path=TRANSFERS, times=3, **rule)

        assert send_payout(payout.pk).status in ("sending", "unknown", "paid")
        double.control("DELETE", "/faults")
        sweep_payouts(patience=NOW)
        sweep_payouts(patience=NOW)

        assert at_stripe(double) == [(10_000, 0)]
        assert (fresh(payout).status, owed_to(winner.user), clearing()) == ("paid", 0, before - 10_000)

    def test_a_time_out_leaves_it_unknown_and_nobody_takes_it_back(self, winner, finance, double, quick_provider):
        payout = approved_payout(winner)
        double.fault(action="delay_after", method="POST", path=TRANSFERS, seconds=1.5, times=None)

        assert send_payout(payout.pk).status == "unknown"
        with pytest.raises(Exception, match="cannot become cancelled"):
            cancel_payout(payout_id=payout.pk, by=finance, reason="too slow")
        with pytest.raises(PrizeNotDue):
            request_payout(entry_id=winner.pk, by=finance, provider="manual")
        double.control("DELETE", "/faults")
        sweep_payouts(patience=NOW)

        assert (fresh(payout).status, at_stripe(double)) == ("paid", [(10_000, 0)])

    def test_a_worker_killed_on_either_side_of_the_call_leaves_one_transfer(self, winner, double, monkeypatch):
        payout = approved_payout(winner)

        class Killed(BaseException):
            pass

        def die(*_, **__):
            raise Killed

        for place in ("send_once", "apply_transfer_facts"):
            with monkeypatch.context() as patched:
                patched.setattr(sending, place, die)
                with pytest.raises(Killed):
                    send_payout(payout.pk, lease=NOW)
            assert fresh(payout).status == "sending"
        sweep_payouts(patience=NOW)
        assert (fresh(payout).status, at_stripe(double)) == ("paid", [(10_000, 0)])

    def test_another_worker_s_prize_is_left_alone(self, winner, double):
        payout = approved_payout(winner)
        Payout.objects.update(status="sending", checked_at=database_now())

        assert send_payout(payout.pk).status == "sending"
        assert at_stripe(double) == []

        assert send_payout(payout.pk, lease=NOW).status == "paid"
        assert at_stripe(double) == [(10_000, 0)]

    def test_after_the_key_has_died_it_looks_before_it_sends(self, winner, double, monkeypatch):
        payout = approved_payout(winner)
        double.fault(action="drop_after", method="POST", path=TRANSFERS, times=3)
        assert send_payout(payout.pk).status == "unknown"
        double.control("DELETE", "/faults")
        Payout.objects.update(sent_at=F("sent_at") - timedelta(days=2), checked_at=F("checked_at") - timedelta(days=2))
        double.advance(2 * 86_400)

        sweep_payouts()

        assert (fresh(payout).status, at_stripe(double)) == ("paid", [(10_000, 0)])

    def test_what_is_refused_for_good_moves_nothing_and_is_owed(self, winner, finance, double):
        retire_account(account_id=winner.user.payout_accounts.get().pk, by=finance, reason="another bank")
        account_of(winner.user, "acct_restricted1")
        payout = approved_payout(winner)

        assert send_payout(payout.pk).status == "failed"

        assert (at_stripe(double), owed_to(winner.user)) == ([], 10_000)
        doubt = Discrepancy.objects.get(kind="payout_failed")
        assert "refused by stripe" in doubt.sentence
        again = request_payout(entry_id=winner.pk, by=finance, provider="manual")
        assert (again.replaces, again.provider, again.destination) == (None, "manual", "")
        assert send_payout(payout.pk).status == "failed"

    def test_an_empty_balance_is_a_no(self, winner, double):
        double.run_payouts()
        payout = approved_payout(winner)
        assert send_payout(payout.pk).status == "failed"
        assert "balance_insufficient" in fresh(payout).failure

    def test_the_outbox_sends_what_is_approved_and_writes_to_the_winner(self, winner, double, mailoutbox):
        payout = approved_payout(winner)
        outbox.drain()
        outbox.drain()
        assert (fresh(payout).status, at_stripe(double)) == ("paid", [(10_000, 0)])
        (mail,) = [one for one in mailoutbox if "prize" in one.subject]
        assert (mail.to, "100.00" in mail.subject) == ([winner.user.email], True)
        assert "sent" in mail.body

    def test_news_of_it_is_followed_and_of_others_is_put_aside(self, winner, double):
        payout = approved_payout(winner)
        send_payout(payout.pk)
        reference = fresh(payout).provider_reference
        double.reverse_transfer(reference, 2500)
        assert apply_transfer(provider="stripe", reference=reference).status == "paid"
        assert owed_to(winner.user) == 2500
        with pytest.raises(NotThere):
            apply_transfer(provider="stripe", reference="tr_nobody")
        order = TransferOrder("5f0c7b9e-0000-4000-8000-000000000000", "k", 0, 0, "acct_other", 100, "usd")
        foreign = provider_named("stripe").create_transfer(order)
        assert apply_transfer(provider="stripe", reference=foreign.reference) is None

    def test_another_amount_or_a_second_transfer_is_not_taken_for_it(self, winner, double):
        payout = approved_payout(winner)
        send_payout(payout.pk)
        facts = provider_named("stripe").fetch_transfer(fresh(payout).provider_reference)
        for wrong in ({"amount_cents": 1}, {"destination": "acct_x"}, {"livemode": True}, {"reference": "tr_2"}):
            with pytest.raises(WrongTransfer):
                apply_transfer_facts(payout_id=payout.pk, facts=replace(facts, **wrong), source="test")
        assert journal(source_type="payout") == [(str(payout.ref), "paid")]
        assert ask_about(payout_id=payout.pk).status == "paid"

    def test_a_stuck_one_is_put_before_a_person(self, winner, double):
        payout = approved_payout(winner)
        suspend_entry(entry=winner, by=None, reason="disputed")
        assert send_payout(payout.pk).status == "approved"
        assert "disputed" in fresh(payout).failure
        Payout.objects.update(
            approved_at=database_now() - timedelta(hours=2), checked_at=database_now() - timedelta(hours=2)
        )
        sweep_payouts()
        assert "is still approved" in Discrepancy.objects.get(kind="payout_failed").sentence
        assert at_stripe(double) == []


@pytest.mark.django_db(transaction=True)
class TestComingBack:
    def test_all_of_it_is_owed_again_and_sent_again(self, winner, finance, double):
        payout = approved_payout(winner)
        send_payout(payout.pk)
        with pytest.raises(PrizeNotDue, match="Reverse it at stripe"):
            return_payout(payout_id=payout.pk, by=finance, reason="bank")
        before = clearing()
        double.reverse_transfer(fresh(payout).provider_reference)
        assert ask_about(payout_id=payout.pk).status == "returned"
        assert ask_about(payout_id=payout.pk).status == "returned"
        assert (owed_to(winner.user), clearing()) == (10_000, before + 10_000)
        assert list(Movement.objects.order_by("id").values_list("kind", "amount_cents")) == [
            ("transfer", -10_000), ("transfer_reversal", 10_000),
        ]  # fmt: skip
        again = approved_payout(winner)
        assert send_payout(again.pk).status == "paid"
        assert (again.replaces, owed_to(winner.user)) == (None, 0)

    def test_a_part_is_owed_again_and_sent_in_its_place(self, winner, double):
        payout = approved_payout(winner)
        send_payout(payout.pk)
        reference = fresh(payout).provider_reference
        double.reverse_transfer(reference, 2500)
        for _ in range(2):
            assert ask_about(payout_id=payout.pk).status == "paid"
        assert (owed_to(winner.user), PrizeCorrection.objects.get().kind) == (2500, "came_back")
        rest = approved_payout(winner)
        assert (rest.amount_cents, rest.replaces_id) == (2500, payout.pk)
        send_payout(rest.pk)
        assert owed_to(winner.user) == 0
        # Then the rest of the first comes back as well: no more than that is owed again.
        double.reverse_transfer(reference)
        assert ask_about(payout_id=payout.pk).status == "returned"
        assert owed_to(winner.user) == 7500
        last = approved_payout(winner)
        assert last.amount_cents == 7500
        send_payout(last.pk)
        assert owed_to(winner.user) == 0
        assert set(Discrepancy.objects.filter(kind="payout_failed").values_list("status", flat=True)) == {"resolved"}

    def test_a_correction_after_sending_makes_it_too_much(self, winner, double):
        payout = approved_payout(winner)
        send_payout(payout.pk)
        correct(winner.pool)
        booked(winner.pool)
        assert (fresh(payout).status, owed_to(winner.user)) == ("paid", -10_000)
        assert Discrepancy.objects.get(kind="prize_overpaid").details["over_cents"] == 10_000
        double.reverse_transfer(fresh(payout).provider_reference)
        ask_about(payout_id=payout.pk)
        assert (owed_to(winner.user), Discrepancy.objects.get(kind="prize_overpaid").status) == (0, "resolved")


@pytest.mark.django_db
class TestAccounts:
    def test_it_takes_two_names_and_neither_is_the_players(self, player, finance, colleague):
        with pytest.raises(Forbidden):
            record_account(player=finance, provider="stripe", reference="acct_1", note="", by=finance)
        account = record_account(player=player, provider="stripe", reference=" acct_1 ", note="seen", by=finance)
        assert (account.reference, account.status) == ("acct_1", "recorded")
        for by in (finance, player):
            with pytest.raises(Forbidden):
                confirm_account(account_id=account.pk, by=by)
        assert confirm_account(account_id=account.pk, by=colleague).status == "confirmed"

    @pytest.mark.parametrize(
        "wrong",
        [{"provider": "manual"}, {"provider": "nobody"}, {"reference": " "}, {"reference": "ä"}, {"note": "x" * 301}],
    )
    def test_nonsense_is_refused(self, player, finance, wrong):
        given = {"provider": "stripe", "reference": "acct_1", "note": ""} | wrong
        with pytest.raises(Malformed):
            record_account(player=player, by=finance, **given)

    def test_a_new_one_retires_the_old_and_what_was_approved_for_it_is_not_sent(self, double, finance, colleague):
        pool, winner, _ = won_pool()
        booked(pool)
        old = account_of(winner.user)
        wish = request_payout(entry_id=winner.pk, by=finance)
        assert (wish.provider, wish.destination) == ("stripe", "acct_winner")
        account_of(winner.user, "acct_other")
        old.refresh_from_db()
        assert old.status == "retired"
        with pytest.raises(PrizeNotDue, match="another one now"):
            approve_payout(payout_id=wish.pk, by=colleague)
        cancel_payout(payout_id=wish.pk, by=finance, reason="old account")
        with pytest.raises(Malformed):
            request_payout(entry_id=winner.pk, by=finance, provider="toy")
        by_hand = request_payout(entry_id=winner.pk, by=finance, provider="manual")
        assert (by_hand.provider, order_of(by_hand).destination) == ("manual", "")

    def test_one_that_is_turned_down_is_never_used(self, player, finance, colleague):
        account = record_account(player=player, provider="stripe", reference="acct_1", note="", by=finance)
        assert reject_account(account_id=account.pk, by=finance, reason="typed wrongly").status == "rejected"
        with pytest.raises(Exception, match="cannot become"):
            confirm_account(account_id=account.pk, by=colleague)

    def test_what_goes_through_a_provider_is_not_handed_over(self, double, finance):
        pool, winner, _ = won_pool()
        booked(pool)
        account_of(winner.user)
        payout = approved_payout(winner)
        with pytest.raises(PrizeNotDue, match="goes through stripe"):
            hand_over(payout_id=payout.pk, handover=cash(), by=FinanceFactory())
        with pytest.raises(Rejected):
            provider_named("manual").create_transfer(order_of(payout))
        assert (provider_named("manual").find_transfer(ref="x"), paid_out) == (None, paid_out)
        with pytest.raises(NotThere):
            provider_named("manual").fetch_transfer("x")
