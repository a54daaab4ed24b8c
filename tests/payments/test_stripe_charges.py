"""What became of a charge, in Stripe's words and in ours; refunds, payouts and missed news over the adapter."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from payments.models import MovementKind
from payments.providers import online_provider
from payments.providers.base import BankPayoutState, RefundOrder, RefundPhase
from payments.providers.faults import NotThere, Rejected, Unclear
from payments.providers.notices import parse_notice
from payments.providers.stripe.amounts import to_minor, to_stripe
from payments.providers.stripe.charges import charge_facts, dispute_facts, movement_facts, refund_facts, refund_params
from payments.providers.stripe.payouts import payout_facts
from payments.providers.stripe.transfers import transfer_facts
from tests.support.payments import post_event

pytestmark = pytest.mark.django_db

AT = 1_790_000_000
WHEN = datetime.fromtimestamp(AT, UTC)

MOVEMENT = {
    "id": "txn_1", "amount": 5000, "fee": 175, "net": 4825, "currency": "usd", "exchange_rate": None,
    "reporting_category": "charge", "type": "charge", "created": AT, "available_on": AT + 86_400,
}  # fmt: skip
CHARGE = {
    "id": "ch_1", "amount": 5000, "amount_captured": 5000, "captured": True, "paid": True, "currency": "usd",
    "created": AT, "livemode": False, "balance_transaction": MOVEMENT, "failure_balance_transaction": None,
    "failure_code": None,
}  # fmt: skip
REFUND = {
    "id": "re_1", "amount": 1000, "currency": "usd", "charge": "ch_1", "status": "succeeded", "created": AT,
    "metadata": {}, "failure_reason": None, "pending_reason": None, "balance_transaction": None,
    "failure_balance_transaction": None,
}  # fmt: skip
DISPUTE = {
    "id": "du_1", "amount": 5000, "currency": "usd", "charge": "ch_1", "status": "needs_response", "created": AT,
    "livemode": False, "reason": "fraudulent", "is_charge_refundable": False,
    "evidence_details": {"due_by": AT + 86_400}, "balance_transactions": [],
}  # fmt: skip


def movement(**changes):
    return {**MOVEMENT, **changes}


def order(charge_id, **changes):
    given = {
        "ref": str(uuid4()), "idempotency_key": f"refund:{uuid4()}:1", "payment_id": 3, "refund_id": 9,
        "charge_id": charge_id, "amount_cents": 1000, "currency": "usd",
    }  # fmt: skip
    return RefundOrder(**{**given, **changes})


class TestAmounts:
    @pytest.mark.parametrize(
        ("currency", "ours", "theirs"), [("usd", 5000, 5000), ("jpy", 5000, 5000), ("kwd", 12_340, 12_340),
                                         ("ugx", 5000, 500_000), ("isk", 5000, 500_000)],
    )  # fmt: skip
    def test_both_ways(self, currency, ours, theirs):
        assert (to_stripe(ours, currency), to_minor(theirs, currency)) == (theirs, ours)

    @pytest.mark.parametrize(("theirs", "ours"), [(149, 1), (150, 2), (-149, -1), (-151, -2)])
    def test_a_part_that_the_currency_does_not_have_is_rounded(self, theirs, ours):
        assert to_minor(theirs, "isk") == ours


class TestCharges:
    def test_a_charge_carries_its_fee(self):
        facts = charge_facts(CHARGE, [], [])

        assert (facts.charge.id, facts.charge.amount_cents, facts.livemode) == ("ch_1", 5000, False)
        assert (facts.movement.kind, facts.movement.fee_cents, facts.movement.occurred_at) == ("charge", 175, WHEN)

    def test_the_fee_may_not_be_known_yet(self):
        assert charge_facts({**CHARGE, "balance_transaction": None}, [], []).movement is None

    def test_a_debit_that_the_bank_took_back_counts_as_a_lost_dispute(self):
        back = movement(id="txn_2", amount=-5000, fee=0, net=-5000, reporting_category="charge_failure")
        failed = {
            **CHARGE, "paid": False, "captured": False, "amount_captured": 0, "failure_code": "insufficient_funds",
            "failure_balance_transaction": back,
        }  # fmt: skip

        facts = charge_facts(failed, [], [])

        (lost,) = facts.disputes
        assert facts.charge.amount_cents == 5000
        assert (lost.reference, lost.status, lost.reason, lost.amount_cents) == (
            "ch_1", "lost", "insufficient_funds", 5000,
        )  # fmt: skip
        assert [leg.kind for leg in lost.movements] == [MovementKind.DISPUTE]

    def test_what_became_of_it_is_told_oldest_first(self):
        newer, older = {**REFUND, "id": "re_2", "created": AT + 5}, REFUND

        facts = charge_facts(CHARGE, [newer, older], [{**DISPUTE, "id": "du_2", "created": AT + 9}, DISPUTE])

        assert [one.reference for one in facts.refunds] == ["re_1", "re_2"]
        assert [one.reference for one in facts.disputes] == ["du_1", "du_2"]


class TestMovements:
    @pytest.mark.parametrize(
        ("category", "kind"),
        [
            ("charge", "charge"), ("refund", "refund"), ("refund_failure", "refund_failure"), ("dispute", "dispute"),
            ("dispute_reversal", "dispute_reversal"), ("payout", "payout"), ("payout_reversal", "payout_reversal"),
            ("network_cost", "other"), ("a_category_of_tomorrow", "other"),
        ],
    )  # fmt: skip
    def test_its_category_tells_its_kind(self, category, kind):
        facts = movement_facts(movement(reporting_category=category))

        assert (facts.kind, facts.category) == (kind, category)

    def test_the_rate_is_kept_to_the_digit(self):
        assert movement_facts(movement(exchange_rate=0.91234)).exchange_rate == Decimal("0.91234")

    @pytest.mark.parametrize("nothing", [None, "txn_not_expanded"])
    def test_what_is_not_told_is_none(self, nothing):
        assert movement_facts(nothing) is None


class TestRefundFacts:
    @pytest.mark.parametrize(
        ("status", "phase"),
        [
            ("succeeded", RefundPhase.SUCCEEDED), ("failed", RefundPhase.FAILED), ("canceled", RefundPhase.CANCELLED),
            ("pending", RefundPhase.PENDING), ("requires_action", RefundPhase.PENDING), ("new", RefundPhase.PENDING),
        ],
    )  # fmt: skip
    def test_its_status_is_one_of_four(self, status, phase):
        assert refund_facts({**REFUND, "status": status}, False).phase is phase

    def test_what_it_waits_for(self):
        waiting = {**REFUND, "status": "pending", "pending_reason": "insufficient_funds"}

        assert refund_facts(waiting, False).pending_reason == "insufficient_funds"
        assert refund_facts({**REFUND, "status": "requires_action"}, False).pending_reason == "requires_action"

    def test_the_mode_is_that_of_its_charge(self):
        assert refund_facts(REFUND, True).livemode is True

    def test_one_made_at_the_dashboard_has_no_name_of_ours(self):
        assert refund_facts({**REFUND, "metadata": None}, False).ref == ""

    def test_what_is_asked_for(self):
        asked = order("ch_1", ref="ref-1", amount_cents=500, currency="ugx", is_duplicate=True)

        assert refund_params(asked) == {
            "charge": "ch_1",
            "amount": 50_000,
            "reason": "duplicate",
            "metadata": {"ref": "ref-1", "kind": "refund", "payment": "3", "refund": "9", "env": "test"},
        }


class TestDisputeFacts:
    def test_its_deadline_and_its_legs(self):
        taken = movement(id="txn_2", amount=-5000, fee=1500, reporting_category="dispute")

        facts = dispute_facts({**DISPUTE, "balance_transactions": [taken]})

        assert facts.evidence_due_at == WHEN + timedelta(days=1)
        assert [(leg.kind, leg.amount_cents, leg.fee_cents) for leg in facts.movements] == [("dispute", -5000, 1500)]

    @pytest.mark.parametrize("details", [None, {}, {"due_by": None}, {"due_by": 0}])
    def test_it_may_have_no_deadline(self, details):
        assert dispute_facts({**DISPUTE, "evidence_details": details}).evidence_due_at is None


class TestPayoutFacts:
    @pytest.mark.parametrize(
        ("status", "state"),
        [
            ("paid", BankPayoutState.PAID), ("failed", BankPayoutState.FAILED), ("canceled", BankPayoutState.FAILED),
            ("pending", BankPayoutState.UNDER_WAY), ("in_transit", BankPayoutState.UNDER_WAY),
        ],
    )  # fmt: skip
    def test_its_state(self, status, state):
        payout = {
            "id": "po_1", "status": status, "amount": 4825, "currency": "usd", "livemode": False, "arrival_date": AT,
            "created": AT, "failure_code": None, "balance_transaction": movement(reporting_category="payout"),
            "failure_balance_transaction": None,
        }  # fmt: skip

        facts = payout_facts(payout)

        assert (facts.state, facts.amount_cents, len(facts.movements)) == (state, 4825, 1)


def test_what_came_back_of_a_transfer_is_told_oldest_first():
    parts = [movement(id=f"txn_{day}", created=AT + day, reporting_category="transfer_reversal") for day in (2, 1)]
    transfer = {
        "id": "tr_1", "amount": 9650, "amount_reversed": 9650, "currency": "usd", "livemode": False, "created": AT,
        "destination": "acct_1", "metadata": {"ref": "r", "env": "test"}, "balance_transaction": None,
        "reversals": {"data": [{"balance_transaction": part} for part in parts]},
    }  # fmt: skip

    facts = transfer_facts(transfer)

    assert (facts.ref, facts.env, facts.destination) == ("r", "test", "acct_1")
    assert [leg.reference for leg in facts.returned] == ["txn_1", "txn_2"]


@pytest.fixture
def charge(double):
    """Paid by somebody at the double: its id."""
    return double.foreign_charge(5000)["charge"]


class TestOverTheAdapter:
    def test_everything_that_became_of_it_comes_back(self, double, charge):
        double.dashboard_refund(1000, charge=charge)
        double.dispute(charge=charge)

        facts = online_provider().fetch_charge(charge)

        assert (facts.charge.id, facts.movement.fee_cents) == (charge, 175)
        assert [(one.phase, one.amount_cents, one.movement.kind) for one in facts.refunds] == [
            ("succeeded", 1000, "refund")
        ]
        assert [(one.status, one.amount_cents, len(one.movements)) for one in facts.disputes] == [
            ("needs_response", 4000, 1)
        ]

    def test_a_charge_that_is_not_there(self, double):
        with pytest.raises(NotThere):
            online_provider().fetch_charge("ch_unknown")

    def test_a_payout_that_is_not_there(self, double):
        with pytest.raises(NotThere):
            online_provider().fetch_payout("po_unknown")

    def test_the_same_refund_twice_is_one(self, double, charge):
        wish = order(charge)

        first, second = online_provider().create_refund(wish), online_provider().create_refund(wish)

        assert first == second
        assert (first.phase, first.ref, first.movement.amount_cents) == ("succeeded", wish.ref, -1000)
        assert len(double.state()["objects"]["refund"]) == 1

    def test_one_whose_answer_was_lost_is_found_by_our_name(self, double, charge, quick_provider):
        wish = order(charge)
        double.fault(action="drop_after", method="POST", path="/v1/refunds")
        with pytest.raises(Unclear):
            online_provider().create_refund(wish)

        found = online_provider().find_refund(ref=wish.ref, charge_id=charge)

        assert (found.ref, found.amount_cents) == (wish.ref, 1000)
        assert online_provider().find_refund(ref="another", charge_id=charge) is None

    @pytest.mark.parametrize("amount", [5001, 0])
    def test_what_cannot_be_is_refused_for_good(self, double, charge, amount):
        with pytest.raises(Rejected):
            online_provider().create_refund(order(charge, amount_cents=amount))

    def test_whose_a_charge_is(self, double):
        ours = double.foreign_charge(5000, metadata={"ref": "r-1", "env": "test", "payment": "4"})["charge"]

        origin = online_provider().origin_of_charge(ours)

        assert (origin.ref, origin.env, origin.payment_id, origin.pool_id) == ("r-1", "test", 4, None)

    def test_more_than_a_page_of_refunds(self, double, charge):
        for _ in range(103):
            double.dashboard_refund(1, charge=charge)

        assert len(online_provider().fetch_charge(charge).refunds) == 103


class TestMissedNews:
    def test_what_could_not_be_delivered_comes_oldest_first(self, double, charge):
        double.control("POST", "/endpoint", url="http://127.0.0.1:9/", enabled=True)
        double.fault(action="lose", type="*", times=None)
        first, second = double.foreign_charge(1000)["charge"], double.foreign_charge(2000)["charge"]

        since = datetime.now(UTC) - timedelta(hours=3)
        missed = list(online_provider().missed_notices(since=since))

        charges = [notice.object_id for notice in missed if notice.event_type == "charge.succeeded"]
        assert charges == [first, second]
        assert missed[0].api_version

    def test_an_event_is_told_again_by_its_name(self, double, charge):
        event = double.state()["objects"]["event"][0]

        notice = online_provider().fetch_notice(event["id"])

        assert (notice.event_id, notice.event_type) == (event["id"], event["type"])


class TestThinNews:
    BODY = (
        b'{"id": "evt_thin", "object": "v2.core.event", "type": "v1.charge.updated", "livemode": false,'
        b' "created": "2026-11-21T00:00:00Z", "snapshot_event": "evt_1",'
        b' "related_object": {"id": "ch_1", "type": "charge", "url": "/v1/charges/ch_1"}}'
    )

    def test_it_names_its_object_and_its_twin(self):
        notice = parse_notice(self.BODY)

        assert (notice.event_id, notice.object_id, notice.snapshot_event_id) == ("evt_thin", "ch_1", "evt_1")

    def test_it_has_a_secret_of_its_own(self, double, settings):
        settings.STRIPE_THIN_WEBHOOK_SECRETS = ["whsec_of_thin_events_in_these_tests"]

        assert post_event(self.BODY, secret="whsec_of_thin_events_in_these_tests").status_code == 200
        assert post_event(self.BODY, secret="whsec_of_nobody_in_these_tests_").status_code == 400
