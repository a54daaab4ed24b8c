"""Cases 56 to 58 of the catalogue: prizes paid out, sent back by the bank, and corrected after they were paid."""

import pytest

from config.clock import database_now
from config.errors import Code
from payments.ledger.accounts import AccountName, Kind
from payments.ledger.balances import balance_of
from payments.ledger.models import JournalEntry
from payments.models import Discrepancy, Payout, TaxForm, TaxYear
from payments.services.manual.deciding import confirm_record
from payments.services.payouts import approve_payout, hand_over, request_payout, return_payout
from payments.services.prizes import book_prizes
from payments.services.taxes import TaxFormMissing, finance_year
from tests.factories.accounts import FinanceFactory
from tests.support.calls import call
from tests.support.threads import codes, run_together, successes
from tests.support.winning import cash, correct, paid_out, won_pool

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def won():
    pool, winner, loser = won_pool()
    book_prizes(pool_id=pool.pk)
    return pool, winner, loser


def owed_to(player):
    return -balance_of(AccountName(Kind.WINNINGS_PAYABLE, player_id=player.pk), "usd", livemode=False)


def test_56_a_winner_is_paid_once_however_often_and_by_how_many_it_is_asked_approved_and_confirmed(won, api, finance):
    _, winner, _ = won
    clerks = [FinanceFactory() for _ in range(4)]

    asked = run_together([lambda clerk=clerk: request_payout(entry_id=winner.pk, by=clerk) for clerk in clerks])
    assert (len(successes(asked)), codes(asked)) == (1, ["PRIZE_NOT_DUE"] * 3)
    (wish,) = successes(asked)

    others = [clerk for clerk in clerks if clerk.pk != wish.requested_by_id]
    approved = run_together([lambda clerk=clerk: approve_payout(payout_id=wish.pk, by=clerk) for clerk in others])
    assert (len(successes(approved)), codes(approved)) == (1, ["INVALID_TRANSITION"] * 2)

    handed = run_together(
        [lambda n=n: hand_over(payout_id=wish.pk, handover=cash(str(n)), by=clerks[0]) for n in range(3)]
    )
    assert (len(successes(handed)), codes(handed)) == (1, ["PRIZE_NOT_DUE"] * 2)
    (record,) = successes(handed)
    signed = run_together([lambda clerk=clerk: confirm_record(record_id=record.pk, by=clerk) for clerk in clerks[1:]])
    assert (len(successes(signed)), codes(signed)) == (1, ["INVALID_TRANSITION"] * 2)

    assert owed_to(winner.user) == 0
    assert JournalEntry.objects.filter(source_type="payout").count() == 1
    status, shown = call(api(finance), "GET", "/payouts")
    assert (status, [(one["entry"], one["status"]) for one in shown]) == (200, [(winner.pk, "paid")])
    assert call(api(winner.user), "GET", "/payouts") == (403, "FORBIDDEN")


def test_57_a_payout_that_the_bank_returns_is_owed_again_and_a_missing_form_blocks_or_withholds(won, finance):
    _, winner, _ = won
    payout = paid_out(winner)
    assert owed_to(winner.user) == 0
    return_payout(payout_id=payout.pk, by=finance, reason="account closed")
    assert owed_to(winner.user) == 10000

    year = TaxYear.objects.create(
        country="US", year=finance_year(database_now()), currency="usd", form="W-9", threshold_cents=10000
    )
    with pytest.raises(TaxFormMissing) as caught:
        request_payout(entry_id=winner.pk, by=finance)
    assert caught.value.code is Code.TAX_FORM_MISSING
    year.withholding_bp = 2400
    year.save()
    again = paid_out(winner)
    assert (again.amount_cents, again.withheld_cents, owed_to(winner.user)) == (10000, 2400, 0)
    assert -balance_of(AccountName(Kind.TAX_WITHHELD), "usd", livemode=False) == 2400

    return_payout(payout_id=again.pk, by=finance, reason="account closed")
    TaxForm.objects.create(player=winner.user, form="W-9", received_on="2026-01-31", recorded_by=finance)
    assert paid_out(winner).withheld_cents == 0
    assert owed_to(winner.user) == 0


def test_58_a_correction_after_the_payout_reverses_and_books_anew_and_shows_what_was_paid_too_much(won):
    pool, winner, loser = won
    payout = paid_out(winner)

    correct(pool)
    book_prizes(pool_id=pool.pk)

    events = JournalEntry.objects.filter(source_type="pool").order_by("id").values_list("source_id", "event")
    assert list(events) == [
        (f"{pool.pk}:1", "settled"), (f"{pool.pk}:1", "settlement_reversed"), (f"{pool.pk}:2", "settled"),
    ]  # fmt: skip
    assert (owed_to(winner.user), owed_to(loser.user)) == (-10000, 10000)
    assert Payout.objects.get(pk=payout.pk).status == "paid"
    doubt = Discrepancy.objects.get(kind="prize_overpaid")
    assert (doubt.status, doubt.details["over_cents"]) == ("open", 10000)
    assert paid_out(loser).status == "paid"

    # It is corrected back: the debt is gone, and the other one's begins.
    correct(pool, winner="CAT")
    book_prizes(pool_id=pool.pk)
    assert (owed_to(winner.user), owed_to(loser.user)) == (0, -10000)
    doubt.refresh_from_db()
    assert doubt.status == "resolved"
