"""Case 36 of the catalogue: a pool is cancelled while payments are in flight."""

import pytest

from entries.models import Entry
from payments.ledger.balances import trial_balance
from payments.models import Discrepancy, Payment, Receipt, Refund
from payments.services.charge_state import apply_charge_state
from payments.services.pots import pot_of
from payments.services.provider_state import Source
from payments.services.refunds.deciding import approve_refund, replace_refund
from tests.factories.accounts import FinanceFactory
from tests.factories.entries import RequestFactory
from tests.factories.pools import PoolFactory
from tests.support.calls import call
from tests.support.cancelling import work_off
from tests.support.payments import deliver, opened, paid_through, started

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def pool():
    return PoolFactory(rules={"house_fee_bp": 500})


def requests_in(pool, count):
    return [RequestFactory(approved=True, pool=pool) for _ in range(count)]


def cancel(api, pool, finance):
    """Proposed by one, confirmed by another, over HTTP."""
    address = f"/pools/{pool.pk}/cancellation"
    status, proposed = call(api(finance), "POST", address, {"reason": "Too few players."})
    assert (status, proposed["status"], proposed["progress"]["places_given_back"]) == (201, "proposed", 0)
    assert call(api(finance), "POST", f"{address}/confirm") == (403, "FORBIDDEN")
    status, confirmed = call(api(FinanceFactory()), "POST", f"{address}/confirm")
    assert (status, confirmed["status"]) == (200, "running")


def state_of(api, pool, finance):
    status, shown = call(api(finance), "GET", f"/pools/{pool.pk}/cancellation")
    assert status == 200
    return shown


def finish(api, pool, finance):
    """Everything that waits is done, and the provider's news is taken in, until nobody is owed anything."""
    for _ in range(4):
        work_off(times=3)
        for receipt in Receipt.objects.values_list("pk", flat=True):
            apply_charge_state(receipt_id=receipt, source=Source.SWEEP)
        work_off(times=3)
    return state_of(api, pool, finance)


def test_36_pool_cancelled_while_payments_are_in_flight_ends_sessions_returns_all_money_and_proves_an_empty_pot(
    api, double, pool, finance
):
    first, second, open_one, late_one = requests_in(pool, 4)
    for request in (first, second):
        paid_through(api, double, request)
    started(api(open_one.user), open_one)
    late = started(api(late_one.user), late_one)
    # It is paid; the news of it comes when the pool is over.
    assert double.pay(late.checkout_url)[0] == 200

    cancel(api, pool, finance)
    deliver(double, "checkout.session.completed")
    shown = finish(api, pool, finance)

    assert (shown["status"], shown["progress"]["pot_cents"], shown["progress"]["payments_open"]) == ("done", 0, 0)
    assert shown["progress"]["refunds"] == [
        {"status": "succeeded", "currency": "usd", "count": 3, "amount_cents": 15000}
    ]
    assert sorted(Entry.objects.values_list("status", flat=True)) == ["void", "void"]
    assert set(Receipt.objects.values_list("status", flat=True)) == {"returned"}
    by_origin = sorted(Refund.objects.values_list("origin", "taken_from"))
    assert by_origin == [("auto", "unapplied"), ("cancellation", "place"), ("cancellation", "place")]
    assert sorted(session["status"] for session in opened(double)) == ["complete"] * 3 + ["expired"]
    assert sorted(Payment.objects.values_list("status", flat=True)) == ["cancelled"] + ["succeeded"] * 3
    assert pot_of(pool) == 0
    balance = trial_balance(livemode=False)
    assert set(balance.proof.values()) == {0}
    owed = {row.kind: row.balance for row in balance.rows if row.kind in ("unallocated", "refund_payable", "prize_pot")}
    assert set(owed.values()) == {0}


def test_36_a_failed_refund_stays_listed_and_the_rest_goes_on_until_it_is_sent_again(api, double, pool, finance):
    entries = [paid_through(api, double, request) for request in requests_in(pool, 3)]
    double.next_refunds("pending", times=1)
    cancel(api, pool, finance)
    work_off(times=3)
    stuck = Refund.objects.get(status="pending")
    double.move_refund(stuck.provider_reference, "failed", failure_reason="expired_or_canceled_card")
    shown = finish(api, pool, finance)

    assert {one["status"]: one["count"] for one in shown["progress"]["refunds"]} == {"failed": 1, "succeeded": 2}
    assert (shown["status"], shown["progress"]["pot_cents"]) == ("running", 0)
    assert shown["progress"]["places_given_back"] == len(entries)
    assert Discrepancy.objects.get(kind="refund_failed").status == "open"

    again = replace_refund(refund_id=stuck.pk, by=finance, reason="new card")
    if again.status == "requested":
        approve_refund(refund_id=again.pk, by=FinanceFactory())
    shown = finish(api, pool, finance)
    assert {one["status"]: one["count"] for one in shown["progress"]["refunds"]} == {"succeeded": 3}
    assert shown["status"] == "done"


def test_36_a_disputed_place_is_taken_too_and_its_money_waits_for_the_bank(api, double, pool, finance):
    disputed, other = (paid_through(api, double, request) for request in requests_in(pool, 2))
    receipt = Receipt.objects.get(entry=disputed)
    double.dispute(charge=receipt.charge_id)
    apply_charge_state(receipt_id=receipt.pk, source=Source.SWEEP)
    cancel(api, pool, finance)
    shown = finish(api, pool, finance)

    assert (shown["status"], shown["progress"]["pot_cents"]) == ("running", 0)
    assert sorted(Entry.objects.values_list("status", flat=True)) == ["void", "void"]
    assert [refund.receipt.entry_id for refund in Refund.objects.all()] == [other.pk]

    double.move_dispute(double.state()["objects"]["dispute"][0]["id"], "lost")
    shown = finish(api, pool, finance)
    receipt.refresh_from_db()
    assert (receipt.status, shown["status"], shown["progress"]["pot_cents"]) == ("charged_back", "done", 0)


def test_36_a_pool_that_has_finished_is_never_cancelled(api, finance):
    pool = PoolFactory(status="finished")
    body = {"reason": "Too late."}
    assert call(api(finance), "POST", f"/pools/{pool.pk}/cancellation", body) == (409, "INVALID_TRANSITION")
