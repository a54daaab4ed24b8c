"""From one thing of money to the page of another: no way leads nowhere, and what is not offered is not shown."""

import pytest

from payments.admin.ways import way_of_key, way_to
from payments.ledger.models import JournalEntry
from payments.models import Discrepancy, DiscrepancyKind
from payments.services.discrepancies import raise_discrepancy, resolve
from tests.factories.payments import paid_entry, refund_of, unapplied_money
from tests.payments.test_money_admin import address
from tests.support.charging import learn, paid_receipt

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def as_finance(client, finance):
    client.force_login(finance)
    return client


def shown(client, model, row):
    return client.get(address(model, f"{row.pk}/change/")).content.decode()


@pytest.mark.parametrize(
    "key",
    [
        "charge:stripe:ch_1", "movement:stripe:txn_1", "session:stripe:cs_1", "dispute:stripe:du_1",
        "payment:stripe:6f2c9c7e-3c57-4f6e-9d4e-0b9f5f3c2a11", "refund:6f2c9c7e-3c57-4f6e-9d4e-0b9f5f3c2a11",
        "payout:6f2c9c7e-3c57-4f6e-9d4e-0b9f5f3c2a11", "webhooks:stripe", "balance:stripe:test:usd", "books:RECEIPTS",
    ],
)  # fmt: skip
def test_the_way_of_a_name_is_a_list_that_opens(as_finance, key):
    kind, _, name = key.partition(":")

    assert as_finance.get(way_to(kind, name)).status_code == 200
    assert way_to(kind, name) in way_of_key(key).replace("&amp;", "&")


@pytest.mark.parametrize(
    ("kind", "name"), [("receipt", "12"), ("refund", 3), ("dispute", "4:won"), ("request", 1), ("pool", "3:1")]
)
def test_the_way_of_a_number_is_the_page_of_the_row(kind, name):
    assert way_to(kind, name).endswith(f"/{str(name).partition(':')[0]}/change/")


def test_what_has_no_page_is_only_said():
    assert way_of_key("weather:tomorrow") == "weather tomorrow"


def test_a_receipt_leads_to_everything_that_became_of_it(as_finance, unpaid):
    receipt = paid_entry(unpaid).receipts.get()
    refund = refund_of(receipt, status="failed")

    page = shown(as_finance, "receipt", receipt)

    assert address("refund", f"{refund.pk}/change/") in page
    assert address("entrymoney", f"{receipt.entry_id}/change/") in page
    booked = JournalEntry.objects.get(source_type="receipt", source_id=str(receipt.pk), event="allocated")
    assert address("journalentry", f"{booked.pk}/change/") in page
    assert address("receipt", f"{receipt.pk}/change/") in shown(as_finance, "journalentry", booked)


def test_a_dispute_leads_to_its_entry_and_its_journal(as_finance, api, unpaid, double):
    receipt = paid_receipt(api, unpaid, double)
    double.dispute(charge=receipt.charge_id)
    learn(receipt)
    dispute = receipt.disputes.get()

    page = shown(as_finance, "dispute", dispute)

    assert "Needs response" in page
    assert address("entrymoney", f"{receipt.entry_id}/change/") in page
    booked = JournalEntry.objects.get(event="dispute_withdrawn")
    assert address("journalentry", f"{booked.pk}/change/") in page
    assert address("dispute", f"{dispute.pk}/change/") in shown(as_finance, "receipt", receipt)


def test_the_queue_leads_to_what_each_row_is_about(as_finance, finance, unpaid):
    receipt = unapplied_money(unpaid)
    row = Discrepancy.objects.get(
        pk=raise_discrepancy(
            kind=DiscrepancyKind.HELD_MONEY,
            object_key=f"receipt:{receipt.pk}",
            sentence="It waits.",
            suggestion="Look.",
            details={"receipt": receipt.pk, "amount_cents": receipt.amount_cents},
        )
    )

    assert address("receipt", f"{receipt.pk}/change/") in as_finance.get(address("discrepancy")).content.decode()
    page = shown(as_finance, "discrepancy", row)
    assert address("receipt", f"{receipt.pk}/change/") in page
    assert "amount: 50.00 USD" in page
    assert 'value="mark_resolved"' in page
    resolve(discrepancy_id=row.pk, by=finance, resolution="done")
    assert 'value="mark_resolved"' not in shown(as_finance, "discrepancy", row)


def test_forms_are_offered_where_they_can_do_something(as_finance, unpaid):
    receipt = paid_entry(unpaid).receipts.get()
    form = address("refund", f"request/{receipt.pk}/")
    assert form in shown(as_finance, "receipt", receipt)

    waits = refund_of(receipt, status="sending")

    assert form not in shown(as_finance, "receipt", receipt)
    page = shown(as_finance, "refund", waits)
    assert "Hand over what failed" not in page
    assert "Record that it was handed over" not in page


def test_what_failed_can_be_handed_over(as_finance, unpaid):
    failed = refund_of(paid_entry(unpaid).receipts.get(), status="failed")

    assert "Hand over what failed" in shown(as_finance, "refund", failed)


def test_a_line_of_the_bank_is_found_by_what_it_was_matched_with(client, finance):
    client.force_login(finance)
    address = way_to("bank_match", "236")
    assert address == "/admin/payments/bankline/?matches__id=236"
    assert client.get(address).status_code == 200
