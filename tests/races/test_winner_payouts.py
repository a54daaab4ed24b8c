"""Prizes, repayments and accounts, wished for by many at once: each decided once, and no prize sent twice."""

import pytest

from payments.models import Payout, PayoutAccount, PrizeCorrection
from payments.services.payouts import approve_payout, cancel_payout, request_payout
from payments.services.prizes import book_prizes
from payments.services.winners.accounts import confirm_account, record_account, retire_account
from payments.services.winners.bulk import request_payouts
from payments.services.winners.corrections import approve_correction, bear_overpaid, record_repayment
from payments.services.winners.sending import send_payout, sweep_payouts
from tests.factories.accounts import FinanceFactory, UserFactory
from tests.payments.test_prizes import owed_to
from tests.support.threads import again_and_again, codes, run_together, successes
from tests.support.winning import account_of, approved_payout, booked, cash, correct, paid_out, won_pool

pytestmark = pytest.mark.django_db(transaction=True)


@again_and_again
def test_a_pool_is_asked_for_by_many_and_by_hand_and_once():
    pool, winner, _ = won_pool()
    booked(pool)

    clerks = [FinanceFactory() for _ in range(4)]
    outcomes = run_together(
        [lambda by=by: request_payouts(pool_id=pool.pk, by=by) for by in clerks[:3]]
        + [lambda: request_payout(entry_id=winner.pk, by=clerks[3])]
    )

    assert [one.error for one in outcomes[:3]] == [None] * 3
    assert Payout.objects.filter(player=winner.user).count() == 1


@again_and_again
def test_what_was_paid_too_much_is_corrected_once():
    pool, winner, _ = won_pool()
    booked(pool)
    payout = paid_out(winner)
    correct(pool)
    booked(pool)
    asker, *others = (FinanceFactory() for _ in range(4))
    back = cash(f"of payout {payout.pk}")

    outcomes = run_together(
        [
            lambda: bear_overpaid(payout_id=payout.pk, reason="x", by=asker),
            lambda: bear_overpaid(payout_id=payout.pk, reason="y", by=asker),
            lambda: record_repayment(payout_id=payout.pk, amount_cents=10000, handover=back, by=asker),
        ]
    )
    assert (len(successes(outcomes)), codes(outcomes)) == (1, ["VERSION_CONFLICT"] * 2)

    (wish,) = PrizeCorrection.objects.filter(pool=pool)
    if wish.kind == "borne":
        agreed = run_together([lambda by=by: approve_correction(correction_id=wish.pk, by=by) for by in others])
        assert (len(successes(agreed)), owed_to(winner.user)) == (1, 0)


@again_and_again
def test_one_account_of_a_player_is_in_use():
    player = UserFactory()
    accounts = [
        record_account(player=player, provider="stripe", reference=f"acct_{n}", note="", by=FinanceFactory())
        for n in range(3)
    ]

    outcomes = run_together([lambda pk=one.pk: confirm_account(account_id=pk, by=FinanceFactory()) for one in accounts])

    assert [one.error for one in outcomes] == [None] * 3
    assert PayoutAccount.objects.filter(player=player, status="confirmed").count() == 1


@again_and_again
def test_an_account_is_replaced_or_retired_and_the_reason_is_of_whoever_did_it():
    player = UserFactory()
    old = account_of(player, "acct_old")
    new = record_account(player=player, provider="stripe", reference="acct_new", note="", by=FinanceFactory())

    outcomes = run_together(
        [
            lambda: confirm_account(account_id=new.pk, by=FinanceFactory()),
            lambda: retire_account(account_id=old.pk, by=FinanceFactory(), reason="closed"),
        ]
    )

    assert outcomes[0].error is None
    old.refresh_from_db()
    retired_by_itself = outcomes[1].error is None
    assert (old.status, old.reason) == ("retired", "closed" if retired_by_itself else "replaced by acct_new")


@pytest.mark.slow
@again_and_again
def test_many_workers_a_sweep_a_clerk_and_a_correction_leave_one_transfer_or_none(double):
    double.reset()
    double.fund(30_000)
    pool, winner, _ = won_pool()
    booked(pool)
    account_of(winner.user)
    payout = approved_payout(winner)
    correct(pool)

    outcomes = run_together(
        [
            lambda: send_payout(payout.pk),
            lambda: send_payout(payout.pk),
            lambda: sweep_payouts(),
            lambda: cancel_payout(payout_id=payout.pk, by=FinanceFactory(), reason="wrong"),
            lambda: book_prizes(pool_id=pool.pk),
        ]
    )
    sweep_payouts()

    payout.refresh_from_db()
    sent = double.state()["objects"].get("transfer", [])
    assert codes(outcomes) in ([], ["INVALID_TRANSITION"])
    assert payout.status in ("paid", "cancelled")
    assert len(sent) == (payout.status == "paid")
    assert owed_to(winner.user) == (-10_000 if payout.status == "paid" else 0)


@again_and_again
def test_an_approval_and_a_correction_take_turns():
    pool, winner, _ = won_pool()
    booked(pool)
    wish = request_payout(entry_id=winner.pk, by=FinanceFactory())
    correct(pool)

    outcomes = run_together(
        [
            lambda: approve_payout(payout_id=wish.pk, by=FinanceFactory()),
            lambda: book_prizes(pool_id=pool.pk),
        ]
    )

    assert outcomes[1].error is None
    wish.refresh_from_db()
    assert wish.status == "cancelled"
