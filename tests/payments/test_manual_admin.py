"""Money by hand in the back office: the form, the queue, the second name."""

import pytest
from django.contrib.messages import get_messages
from django.core.files.uploadedfile import SimpleUploadedFile

from entries.models import Entry
from payments.models import ManualRecord, Payment, Receipt
from payments.services.refunds.deciding import give_back_place
from tests.factories.accounts import FinanceFactory, ModeratorFactory
from tests.factories.entries import RequestFactory
from tests.payments.test_money_admin import act, address, confirm
from tests.support.by_hand import PDF, paid_by_hand, recorded

pytestmark = pytest.mark.django_db(transaction=True)

FORM = "/admin/payments/manualrecord/record-payment/"


@pytest.fixture
def as_finance(client, finance):
    client.force_login(finance)
    return client


def filled(asked, **changes):
    return {
        "request": asked.pk, "amount": "50.00", "currency": "usd", "method": "transfer", "reference": "bank 12",
        "passed_at": "2026-01-02T10:30", "note": "", "evidence": [SimpleUploadedFile("a.pdf", PDF)],
    } | changes  # fmt: skip


class TestTheForm:
    def test_it_tells_whose_money_it_is(self, as_finance, unpaid):
        page = as_finance.get(FORM, {"request": unpaid.pk}).content.decode()

        assert unpaid.user.email in page
        assert "Asked for: 50.00 USD." in page
        assert 'value="50.00"' in page
        assert 'enctype="multipart/form-data"' in page

    def test_it_writes_a_record(self, as_finance, finance, unpaid):
        answer = as_finance.post(FORM, filled(unpaid))

        record = ManualRecord.objects.get()
        assert answer["Location"] == address("manualrecord", f"{record.pk}/change/")
        assert (record.method, record.reference, record.amount_cents) == ("transfer", "bank 12", 5000)
        assert record.passed_at.isoformat() == "2026-01-02T10:30:00+00:00"
        assert (record.recorded_by, record.evidence.get().name) == (finance, "a.pdf")

    def test_several_scans_at_once(self, as_finance, unpaid):
        scans = [SimpleUploadedFile(f"{n}.pdf", PDF + bytes([48 + n])) for n in range(3)]

        as_finance.post(FORM, filled(unpaid, evidence=scans))

        assert [one.name for one in ManualRecord.objects.get().evidence.all()] == ["0.pdf", "1.pdf", "2.pdf"]

    def test_it_says_that_paid_is_paid(self, as_finance):
        page = as_finance.get(FORM, {"request": RequestFactory(paid=True).pk}).content.decode()

        assert "would be held as a second payment" in page

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"evidence": []}, "is recorded with a scan"),
            ({"amount": "50.001"}, "USD has 2 decimals."),
            ({"currency": "jpy", "amount": "50.5"}, "JPY has 0 decimals."),
            ({"passed_at": "2999-01-01T00:00"}, "has not passed yet"),
            ({"request": "999"}, "There is no such request."),
            ({"reference": ""}, "This field is required."),
            ({"evidence": [SimpleUploadedFile("a.pdf", b"<html>")]}, "Only PDF, PNG and JPEG"),
            ({"evidence": [SimpleUploadedFile("a.pdf", b"")]}, "The submitted file is empty."),
        ],
    )
    def test_what_is_refused_is_said(self, as_finance, unpaid, changes, said):
        page = as_finance.post(FORM, filled(unpaid, **changes)).content.decode()

        assert said in page
        assert not ManualRecord.objects.exists()

    def test_a_currency_without_decimals(self, as_finance, unpaid):
        as_finance.post(FORM, filled(unpaid, currency="jpy", amount="50"))

        record = ManualRecord.objects.get()
        assert (record.amount_cents, record.currency) == (50, "jpy")

    @pytest.mark.parametrize("pk", ["x", "-1", "0", "9" * 40])
    def test_an_odd_number_in_the_address(self, as_finance, pk):
        assert as_finance.get(FORM, {"request": pk}).status_code == 404

    def test_an_odd_number_in_the_form(self, as_finance, unpaid):
        page = as_finance.post(FORM, filled(unpaid, request="x")).content.decode()

        assert "Enter a whole number." in page
        assert "bank 12" in page

    def test_no_currency_is_chosen_for_an_unknown_request(self, as_finance, unpaid):
        assert "selected" not in as_finance.get(FORM).content.decode().partition('name="currency"')[2][:400]

    def test_the_name_of_a_scan_has_a_place_of_its_own(self, as_finance, unpaid):
        """Unfold's script writes it into the text input of the same box: without one, into the first of the form."""
        page = as_finance.get(FORM, {"request": unpaid.pk}).content.decode()

        box = page[page.index('for="id_evidence" class="flex') : page.index('name="evidence"')]
        assert 'type="text"' in box

    @pytest.mark.parametrize("page", ["record-payment", "record-refund", "record-payout"])
    def test_moderators_do_not_see_it(self, client, page):
        client.force_login(ModeratorFactory())

        assert client.get(address("manualrecord", f"{page}/")).status_code == 403

    @pytest.mark.parametrize("page", ["record-refund", "record-payout"])
    def test_what_leaves_has_a_form_as_well(self, as_finance, page):
        assert as_finance.get(address("manualrecord", f"{page}/")).status_code == 200

    def test_a_refund_that_waits_is_handed_over(self, as_finance, unpaid):
        paid_by_hand(unpaid)
        refund = give_back_place(
            receipt=Receipt.objects.get(), origin="cancellation", reason="off", by=FinanceFactory()
        )
        given = filled(unpaid, refund=refund.pk)

        as_finance.post(address("manualrecord", "record-refund/"), given)

        assert ManualRecord.objects.get(refund=refund).amount_cents == 5000

    def test_the_ways_to_it(self, as_finance, unpaid):
        link = f"{FORM}?request={unpaid.pk}"

        assert link in as_finance.get(address("unpaidrequest")).content.decode()
        assert link in as_finance.get(address("unpaidrequest", f"{unpaid.pk}/change/")).content.decode()
        assert as_finance.get(address("unpaidrequest", "record-payment/"))["Location"] == FORM

    def test_the_way_from_the_request(self, client, admin_user, unpaid):
        client.force_login(admin_user)

        page = client.get(f"/admin/entries/request/{unpaid.pk}/change/").content.decode()

        assert f"{FORM}?request={unpaid.pk}" in page


class TestTheQueue:
    def test_it_holds_what_waits(self, as_finance, unpaid):
        waiting, done = recorded(unpaid), paid_by_hand(RequestFactory(approved=True))

        def listed(**query):
            page = as_finance.get(address("manualrecord"), query).content.decode()
            return [row for row in (waiting, done) if row.reference in page]

        assert listed() == [waiting]
        assert listed(state="confirmed") == [done]
        assert listed(state="rejected") == []
        assert listed(state="all") == [waiting, done]

    def test_the_confirm_page_says_what_it_does(self, as_finance, unpaid):
        record = recorded(unpaid)

        page = act(as_finance, "manualrecord", "confirm", record).content.decode()

        assert "1 of 1 waits for a second name" in page
        assert f"50.00 USD by cash {record.reference} from {unpaid.user.email}" in page
        assert not Entry.objects.exists()

    def test_a_second_name(self, as_finance, finance, unpaid):
        record = recorded(unpaid)

        assert confirm(as_finance, "manualrecord", "confirm", record) == ["1 of 1 confirmed."]

        record.refresh_from_db()
        assert (record.status, record.decided_by) == ("confirmed", finance)
        assert Entry.objects.get().request == unpaid

    def test_the_same_name_is_refused(self, as_finance, finance, unpaid):
        record = recorded(unpaid, by=finance)

        (said,) = confirm(as_finance, "manualrecord", "confirm", record)

        assert said.startswith("1 of 1 refused: You recorded it yourself")
        assert not Entry.objects.exists()

    def test_turned_down_with_a_reason(self, as_finance, unpaid):
        record = recorded(unpaid)

        page = act(as_finance, "manualrecord", "turn_down", record, confirmed="1", reason=" ")
        assert "Say why." in page.content.decode()
        assert confirm(as_finance, "manualrecord", "turn_down", record, reason="false") == ["1 of 1 turned down."]

        record.refresh_from_db()
        assert (record.status, record.decision_reason) == ("rejected", "false")
        assert Payment.objects.get().status == "failed"

    def test_buttons_are_for_who_can_sign(self, as_finance, finance, unpaid):
        own, others = recorded(unpaid, by=finance), recorded(RequestFactory(approved=True))

        def buttons(record):
            page = as_finance.get(address("manualrecord", f"{record.pk}/change/")).content.decode()
            return 'value="confirm"' in page, 'value="turn_down"' in page

        assert buttons(others) == (True, True)
        assert buttons(own) == (False, False)

    def test_a_record_is_shown_with_its_way_and_its_changes(self, as_finance, unpaid):
        record = paid_by_hand(unpaid)

        page = as_finance.get(address("manualrecord", f"{record.pk}/change/")).content.decode()

        assert address("payment", f"{record.payment_id}/change/") in page
        assert record.recorded_by.display_name in page
        assert record.decided_by.display_name in page

    def test_moderators_do_not_see_it(self, client, moderator):
        client.force_login(moderator)

        assert client.get(address("manualrecord")).status_code == 403

    def test_nobody_adds_edits_or_deletes(self, client, admin_user, unpaid):
        record = recorded(unpaid)
        client.force_login(admin_user)

        for what in ("add/", f"{record.pk}/delete/", f"{record.pk}/change/"):
            client.post(address("manualrecord", what), {"post": "yes", "amount_cents": "1", "status": "confirmed"})

        record.refresh_from_db()
        assert (record.status, record.amount_cents) == ("recorded", 5000)

    def test_a_list_costs_the_same_for_one_row_and_for_three(self, as_finance, django_assert_max_num_queries):
        costs = []
        for number in range(3):
            recorded(RequestFactory(approved=True))
            if number != 1:
                with django_assert_max_num_queries(30) as captured:
                    assert as_finance.get(address("manualrecord")).status_code == 200
                costs.append(len(captured))

        assert costs[0] == costs[1]


def test_the_messages_of_the_form(as_finance, unpaid):
    answer = as_finance.post(FORM, filled(unpaid))

    assert [str(one) for one in get_messages(answer.wsgi_request)] == ["Written down. Somebody else has to confirm it."]
