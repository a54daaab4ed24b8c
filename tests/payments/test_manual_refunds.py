"""Money that is handed back: written down by one, confirmed by another, and only then it is out."""

import pytest

from config import outbox
from config.clock import database_now
from payments.models import (
    ManualRecord,
    ManualState,
    Receipt,
    ReceiptState,
    RefundState,
)
from payments.services.manual.deciding import confirm_record, reject_record
from payments.services.manual.outgoing import hand_back
from payments.services.refunds.deciding import approve_refund, decline_refund, give_back_place, request_refund
from tests.factories.entries import RequestFactory
from tests.factories.payments import paid_entry
from tests.support.by_hand import cash, paid_by_hand
from tests.support.charging import balance
from tests.support.refusals import refused

pytestmark = pytest.mark.django_db(transaction=True)


class TestGivingBack:
    def wished(self, by, *, taken_from="house", amount_cents=2000, **how):
        return request_refund(
            receipt_id=Receipt.objects.get().pk, amount_cents=amount_cents, taken_from=taken_from, reason="goodwill",
            by=by, now=database_now(), manual=how.get("manual", cash()),
        )  # fmt: skip

    def test_its_second_name_is_the_refunds(self, unpaid, finance, colleague):
        paid_by_hand(unpaid)
        refund = self.wished(finance)
        assert (refund.status, refund.manual_record.status) == (RefundState.REQUESTED, ManualState.RECORDED)

        confirm_record(record_id=refund.manual_record.pk, by=colleague)

        refund.refresh_from_db()
        assert (refund.status, refund.approved_by, refund.provider_reference) == (
            RefundState.SUCCEEDED,
            colleague,
            f"manual_{refund.manual_record.pk}",
        )
        assert balance("clearing", provider="manual") == 3000
        assert balance("refund_payable") == 0

    def test_approving_the_refund_confirms_its_record(self, unpaid, finance, colleague):
        paid_by_hand(unpaid)
        refund = self.wished(finance)

        approve_refund(refund_id=refund.pk, by=colleague)
        outbox.drain()

        refund.refresh_from_db()
        assert (refund.status, ManualRecord.objects.get(refund=refund).status) == ("succeeded", "confirmed")

    def test_declining_it_turns_the_record_down(self, unpaid, finance, colleague):
        paid_by_hand(unpaid)
        refund = self.wished(finance)

        decline_refund(refund_id=refund.pk, by=colleague, reason="no")

        assert ManualRecord.objects.get(refund=refund).status == ManualState.REJECTED

    def test_turning_the_record_down_declines_it(self, unpaid, finance, colleague):
        paid_by_hand(unpaid)
        refund = self.wished(finance)

        reject_record(record_id=refund.manual_record.pk, by=colleague, reason="no")

        refund.refresh_from_db()
        assert refund.status == RefundState.CANCELLED
        assert balance("clearing", provider="manual") == 5000

    def test_who_asked_cannot_confirm(self, unpaid, finance):
        paid_by_hand(unpaid)
        refund = self.wished(finance)

        assert refused(lambda: confirm_record(record_id=refund.manual_record.pk, by=finance)) == "FORBIDDEN"
        refund.refresh_from_db()
        assert refund.status == RefundState.REQUESTED

    def test_what_was_decided_waits_for_its_handover(self, unpaid, finance, colleague):
        """As in a cancelled pool: the refund is decided, and somebody has to hand the money over."""
        paid_by_hand(unpaid)
        refund = give_back_place(receipt=Receipt.objects.get(), origin="cancellation", reason="off", by=finance)
        outbox.drain()
        refund.refresh_from_db()
        assert (refund.status, refund.pending_reason) == (RefundState.PENDING, "not_handed_over")
        assert balance("clearing", provider="manual") == 5000

        record = hand_back(refund_id=refund.pk, handover=cash(), by=finance)
        assert refused(lambda: hand_back(refund_id=refund.pk, handover=cash(), by=finance)) == "VERSION_CONFLICT"
        confirm_record(record_id=record.pk, by=colleague)

        refund.refresh_from_db()
        assert refund.status == RefundState.SUCCEEDED
        assert balance("clearing", provider="manual") == balance("refund_payable") == 0
        assert Receipt.objects.get().status == ReceiptState.RETURNED

    def test_nothing_is_handed_over_for_a_refund_to_a_card(self, unpaid, finance):
        paid_entry(unpaid)
        refund = request_refund(
            receipt_id=Receipt.objects.get().pk, amount_cents=100, taken_from="house", reason="x", by=finance,
            now=database_now(),
        )  # fmt: skip

        refusal = refused(lambda: hand_back(refund_id=refund.pk, handover=cash(), by=finance))

        assert refusal == "INVALID_TRANSITION"

    def test_nobody_hands_money_to_themselves(self, finance, colleague):
        paid_by_hand(RequestFactory(approved=True, user=finance))
        refund = give_back_place(receipt=Receipt.objects.get(), origin="cancellation", reason="off", by=colleague)

        assert refused(lambda: hand_back(refund_id=refund.pk, handover=cash(), by=finance)) == "FORBIDDEN"

    def test_a_refund_that_is_not_there(self, finance):
        assert refused(lambda: hand_back(refund_id=7, handover=cash(), by=finance)) == "NOT_FOUND"
