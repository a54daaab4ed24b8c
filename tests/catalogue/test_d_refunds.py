"""D. Refunds: in parts, past us, without an answer, failing later, waiting for funds, and asked for too late."""

from datetime import timedelta

import pytest

from config import outbox
from config.clock import database_now
from entries.models import Entry
from payments.models import Discrepancy, Refund
from payments.services.refunds.sending import sweep_refunds
from pools.models import Game, PoolStatus
from tests.factories.accounts import FinanceFactory
from tests.support.payments import code_of, started
from tests.support.refunding import at_stripe, doubts
from tests.support.stories import agreed_books, catch_up, given_back, receipts_of, refunds_of
from tests.support.threads import run_together

pytestmark = pytest.mark.django_db(transaction=True)

REFUNDS = "/v1/refunds"


@pytest.fixture
def paid(api, owing, double):
    """A place of 50 dollars, paid and booked; the payment."""
    payment = started(api(owing.user), owing)
    assert double.pay(payment.checkout_url)[0] == 200
    catch_up(double)
    return payment


@pytest.fixture
def ask(api, finance, paid):
    """Ask for a refund as finance, over HTTP."""

    def post(by=None, **body):
        body.setdefault("reason", "asked for it")
        return api(by or finance).post(f"/api/v1/payments/{paid.pk}/refunds", body, format="json")

    return post


def refund_of(answer):
    assert answer.status_code == 201, answer.content
    return Refund.objects.get(pk=answer.json()["data"]["id"])


def refunded(api, user, payment):
    return api(user).get(f"/api/v1/payments/{payment.pk}").json()["data"]["refunded_cents"]


def test_48_partial_refunds_of_equal_amount_are_each_a_row_of_their_own(api, player, owing, paid, ask, double):
    first, second = (refund_of(ask(taken_from="house", amount_cents=300)) for _ in range(2))
    catch_up(double)

    rows = Refund.objects.order_by("id")
    assert [row.pk for row in rows] == [first.pk, second.pk]
    assert len({row.provider_reference for row in rows}) == 2
    assert at_stripe(double) == [(300, "succeeded")] * 2
    # The sum that Stripe keeps on the charge is a check, and it agrees.
    assert given_back(double) == [600]
    assert refunded(api, player, paid) == 600
    assert agreed_books(double)["goodwill"] == 600
    assert receipts_of(owing) == [("allocated", "")]


def test_49_a_refund_from_the_dashboard_is_booked_and_the_entry_waits_for_an_answer(api, owing, paid, double):
    (charge,) = double.state()["objects"]["charge"]
    double.dashboard_refund(charge=charge["id"], amount=2000)
    catch_up(double)

    assert refunds_of(owing) == [("succeeded", "dashboard", "undecided", 2000)]
    assert Entry.objects.get().status == "active"
    doubt = Discrepancy.objects.get(kind="external_refund")
    assert "Void the entry" in doubt.suggestion
    assert agreed_books(double)["suspense"] == 2000


def test_50a_a_refund_whose_answer_is_lost_is_found_and_never_made_twice(owing, ask, double, quick_provider):
    double.fault(action="delay_after", method="POST", path=REFUNDS, seconds=1.5, times=None)
    refund = refund_of(ask())
    # Without the news that Stripe would bring: it alone could tell as well.
    outbox.drain()
    assert Refund.objects.get(pk=refund.pk).status == "unknown"
    double.control("DELETE", "/faults")

    sweep_refunds(patience=timedelta())
    catch_up(double)

    assert refunds_of(owing) == [("succeeded", "staff", "place", 5000)]
    assert at_stripe(double) == [(5000, "succeeded")]
    agreed_books(double)


def test_50b_of_two_staff_who_refund_at_once_one_gets_a_clear_error(owing, ask, double):
    people = [FinanceFactory(), FinanceFactory()]

    outcomes = run_together([lambda by=by: ask(by=by) for by in people])
    catch_up(double)

    answers = sorted(outcome.value.status_code for outcome in outcomes)
    assert answers in ([201, 409], [201, 422])
    loser = next(outcome.value for outcome in outcomes if outcome.value.status_code != 201)
    assert code_of(loser)[1] in ("REFUND_NOT_ALLOWED", "REFUND_TOO_LARGE")
    assert given_back(double) == [5000]


def test_53_a_refund_that_fails_later_is_owed_again_and_a_task(api, player, owing, paid, ask, double):
    refund = refund_of(ask())
    catch_up(double)
    assert refunded(api, player, paid) == 5000
    double.move_refund(Refund.objects.get(pk=refund.pk).provider_reference, "failed", failure_reason="unknown")

    catch_up(double)

    assert refunds_of(owing) == [("failed", "staff", "place", 5000)]
    assert receipts_of(owing)[0][0] == "returning"
    assert doubts() == ["refund_failed"]
    assert refunded(api, player, paid) == 0
    assert agreed_books(double)["refund_payable"] == -5000


def test_54_a_refund_that_waits_for_funds_stays_pending_and_tells_what_is_needed(owing, ask, double):
    double.next_refunds("pending", pending_reason="insufficient_funds")
    refund = refund_of(ask())
    catch_up(double)

    assert refunds_of(owing) == [("pending", "staff", "place", 5000)]
    assert "50.00 USD" in Discrepancy.objects.get(kind="refund_unfunded").suggestion

    double.move_refund(Refund.objects.get(pk=refund.pk).provider_reference, "succeeded")
    catch_up(double)

    assert (refunds_of(owing)[0][0], doubts()) == ("succeeded", [])
    assert agreed_books(double).get("refund_payable", 0) == 0


def test_55_once_the_contest_has_begun_only_the_house_gives_and_the_pot_stays_whole(owing, pool, ask, double):
    Game.objects.filter(round__competition=pool.competition).update(kickoff_at=database_now() - timedelta(hours=4))
    pool.status = PoolStatus.RUNNING
    pool.save(update_fields=["status"])

    assert code_of(ask()) == (422, "REFUND_NOT_ALLOWED")
    refund_of(ask(taken_from="house", amount_cents=1000))
    catch_up(double)

    assert refunds_of(owing) == [("succeeded", "staff", "house", 1000)]
    books = agreed_books(double)
    assert (books["prize_pot"], books["fee_revenue"], books["goodwill"]) == (-4500, -500, 1000)
    assert Entry.objects.get().status == "active"
