"""Refunds in the back office: the form, the second name, sending again, and what was made past us."""

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext

from entries.models import Entry
from payments.models import ManualRecord, Refund
from tests.factories.accounts import FinanceFactory
from tests.factories.payments import paid_entry, refund_of, unapplied_money
from tests.payments.test_money_admin import act, address, confirm
from tests.support.by_hand import paid_by_hand
from tests.support.charging import learn, paid_receipt
from tests.support.refunding import asked, fresh

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def as_finance(client, finance):
    client.force_login(finance)
    return client


@pytest.fixture
def receipt(unpaid):
    return paid_entry(unpaid).receipts.get()


def form(receipt):
    return address("refund", f"request/{receipt.pk}/")


class TestAsking:
    def test_the_receipt_leads_to_the_form(self, as_finance, receipt):
        assert form(receipt) in as_finance.get(address("receipt", f"{receipt.pk}/change/")).content.decode()

        page = as_finance.get(form(receipt)).content.decode()
        assert "50.00 USD of it can still be given back." in page
        assert receipt.payment.request.user.email in page

    def test_it_is_decided_or_waits(self, as_finance, receipt, finance):
        given = {"amount": "12.34", "taken_from": "house", "reason": "a long wait"}
        answer = as_finance.post(form(receipt), given)

        refund = Refund.objects.get()
        assert (answer.status_code, answer.url) == (302, address("refund", f"{refund.pk}/change/"))
        assert (refund.amount_cents, refund.status, refund.requested_by) == (1234, "requested", finance)
        assert [str(said) for said in get_messages(answer.wsgi_request)] == [
            "Asked for. Somebody else has to approve it."
        ]

    @pytest.mark.parametrize("amount", ["12.345", "50.01", "0", "-1", "x"])
    def test_an_amount_that_cannot_be_is_told_on_the_form(self, as_finance, receipt, amount):
        answer = as_finance.post(form(receipt), {"amount": amount, "taken_from": "house", "reason": "x"})

        assert answer.status_code == 200
        assert 'role="alert"' in answer.content.decode()
        assert not Refund.objects.exists()

    def test_money_that_came_by_hand_is_handed_back(self, as_finance, unpaid):
        paid_by_hand(unpaid)
        receipt = Entry.objects.get().receipts.get()
        hand_back = as_finance.get(form(receipt)).url
        assert "50.00 USD of it can still be given back." in as_finance.get(hand_back).content.decode()

        given = {
            "receipt": receipt.pk, "taken_from": "place", "reason": "changed his mind", "method": "cash",
            "reference": "back 7", "passed_at": "2026-01-01T10:00",
        }  # fmt: skip
        answer = as_finance.post(hand_back, given)

        record = ManualRecord.objects.get(refund__isnull=False)
        assert answer.url == address("manualrecord", f"{record.pk}/change/")
        assert (record.refund.status, record.refund.amount_cents) == ("requested", 5000)

    def test_moderators_cannot(self, client, moderator, receipt):
        client.force_login(moderator)

        assert client.get(form(receipt)).status_code == 403
        assert client.get(address("refund")).status_code == 403
        assert client.get(address("refund", "hand-back/")).status_code == 403
        assert client.get(address("refund", "by-hand/")).status_code == 403


class TestTheSecondName:
    @pytest.fixture
    def wish(self, receipt, settings):
        settings.REFUND_APPROVAL_ABOVE = 0
        return asked(receipt, FinanceFactory())

    def test_it_takes_the_place_back(self, as_finance, wish, finance):
        page = act(as_finance, "refund", "approve", wish).content.decode()
        assert "1 of 1 waits for a second name." in page
        assert "What goes back: 50.00 USD." in page
        assert confirm(as_finance, "refund", "approve", wish) == ["1 of 1 approved."]

        assert (fresh(wish).status, fresh(wish).approved_by) == ("sending", finance)
        assert Entry.objects.get().status == "void"
        page = as_finance.get(address("refund", f"{wish.pk}/change/")).content.decode()
        assert finance.display_name in page

    def test_nobody_approves_their_own(self, client, wish):
        client.force_login(wish.requested_by)

        assert confirm(client, "refund", "approve", wish) == [
            "1 of 1 refused: Whoever asked for a refund cannot approve it: somebody else has to."
        ]
        assert 'value="approve"' not in client.get(address("refund", f"{wish.pk}/change/")).content.decode()

    def test_it_is_declined_with_a_reason(self, as_finance, wish):
        assert confirm(as_finance, "refund", "decline", wish, reason="not now") == ["1 of 1 declined."]
        assert fresh(wish).status == "cancelled"

    def test_moderators_cannot_press_it(self, client, moderator, wish):
        client.force_login(moderator)

        assert act(client, "refund", "approve", wish).status_code == 403


class TestTroubles:
    def test_what_failed_is_sent_again(self, as_finance, receipt):
        failed = refund_of(receipt, status="failed")

        assert confirm(as_finance, "refund", "send_again", failed, reason="new card") == ["1 of 1 sent again."]
        assert Refund.objects.get(replaces=failed).status == "sending"
        said = confirm(as_finance, "refund", "send_again", failed, reason="twice")
        assert "Nothing of this refund is owed" in said[0]

    @pytest.mark.parametrize(
        ("action", "entry", "taken_from"),
        [("let_the_house_bear", "active", "house"), ("take_the_place", "void", "unapplied")],
    )
    def test_what_was_made_past_us_is_explained(self, as_finance, api, unpaid, double, action, entry, taken_from):
        receipt = paid_receipt(api, unpaid, double)
        double.dashboard_refund(charge=receipt.charge_id)
        learn(receipt)
        refund = Refund.objects.get()

        assert len(confirm(as_finance, "refund", action, refund, reason="looked at it")) == 1

        assert (fresh(refund).taken_from, Entry.objects.get().status) == (taken_from, entry)
        again = confirm(as_finance, "refund", action, refund, reason="twice")
        assert again == ["1 of 1 refused: Whose money this refund was is decided already."]

    def test_the_provider_is_asked(self, as_finance, api, unpaid, double):
        refund = asked(paid_receipt(api, unpaid, double), FinanceFactory())

        assert confirm(as_finance, "refund", "ask_again", refund) == ["1 of 1 asked about."]
        assert fresh(refund).status == "succeeded"


def test_what_is_on_its_way_is_found_by_a_filter(as_finance):
    going, waiting = unapplied_money(), unapplied_money()
    refund_of(going, status="sending")

    page = as_finance.get(address("receipt"), {"look_at": "returning"}).content.decode()

    assert address("receipt", f"{going.pk}/change/") in page
    assert address("receipt", f"{waiting.pk}/change/") not in page


def test_a_list_costs_the_same_for_one_row_and_for_three(as_finance):
    costs = []
    for number in range(3):
        refund_of(unapplied_money())
        if number != 1:
            with CaptureQueriesContext(connection) as captured:
                assert as_finance.get(address("refund")).status_code == 200
            costs.append(len(captured))

    assert costs[0] == costs[1]
