"""One prize, many clerks: asked for once, approved once, booked once, and never against a correction."""

import pytest

from payments.models import Payout, PrizeBooking
from payments.services.payouts import approve_payout, cancel_payout, request_payout
from payments.services.prizes import book_prizes
from tests.factories.accounts import FinanceFactory
from tests.payments.test_prizes import owed_to
from tests.support.threads import again_and_again, codes, run_together, successes
from tests.support.winning import booked, correct, won_pool

pytestmark = pytest.mark.django_db(transaction=True)


@again_and_again
def test_a_prize_is_asked_for_once():
    pool, winner, _ = won_pool()
    booked(pool)
    clerks = [FinanceFactory() for _ in range(4)]

    outcomes = run_together([lambda by=by: request_payout(entry_id=winner.pk, by=by) for by in clerks])

    assert (len(successes(outcomes)), codes(outcomes)) == (1, ["PRIZE_NOT_DUE"] * 3)


@again_and_again
def test_it_is_approved_once_or_cancelled():
    pool, winner, _ = won_pool()
    booked(pool)
    asker, *others = (FinanceFactory() for _ in range(3))
    wish = request_payout(entry_id=winner.pk, by=asker)

    outcomes = run_together(
        [lambda by=by: approve_payout(payout_id=wish.pk, by=by) for by in others]
        + [lambda: cancel_payout(payout_id=wish.pk, by=asker, reason="wrong")]
    )

    # What is approved can still be cancelled, and nothing else happens twice.
    assert codes(outcomes) in (["INVALID_TRANSITION"], ["INVALID_TRANSITION"] * 2)
    wish.refresh_from_db()
    assert wish.status == "cancelled"


@again_and_again
def test_prizes_are_booked_once():
    pool, winner, _ = won_pool()

    outcomes = run_together([lambda: book_prizes(pool_id=pool.pk)] * 4)

    assert [outcome.error for outcome in outcomes] == [None] * 4
    assert len({booking.pk for booking in successes(outcomes)}) == 1
    assert PrizeBooking.objects.filter(pool=pool).count() == 1
    assert owed_to(winner.user) == 10000


@again_and_again
def test_a_payout_is_never_of_a_prize_that_is_gone():
    pool, winner, loser = won_pool()
    booked(pool)
    correct(pool)

    outcomes = run_together(
        [
            lambda: request_payout(entry_id=winner.pk, by=FinanceFactory()),
            lambda: book_prizes(pool_id=pool.pk),
        ]
    )

    assert outcomes[1].error is None
    assert codes(outcomes) in ([], ["PRIZE_NOT_DUE"])
    assert not Payout.objects.filter(player=winner.user).exclude(status="cancelled").exists()
    assert (owed_to(winner.user), owed_to(loser.user)) == (0, 10000)
