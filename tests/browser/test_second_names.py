"""Money that goes back in a real browser: a refund and a whole pool with two names, and a dispute asked about."""

from datetime import timedelta

import pytest

from config.clock import database_now
from entries.models import Entry
from payments.models import Cancellation, Dispute, Receipt, Refund
from tests.factories.accounts import PASSWORD, FinanceFactory
from tests.factories.entries import RequestFactory
from tests.factories.payments import paid_entry
from tests.factories.pools import PoolFactory
from tests.support.cancelling import carried_out

pytestmark = [pytest.mark.slow, pytest.mark.browser]


@pytest.fixture
def pool():
    pool = PoolFactory(name="Thanksgiving Survivor")
    for name in ("Ann Arbor", "Bob Baker"):
        paid_entry(RequestFactory(approved=True, pool=pool, user__display_name=name))
    return pool


@pytest.fixture
def names():
    """Two of finance."""
    return [FinanceFactory(password=PASSWORD, display_name=name) for name in ("Fay", "Finn")]


def confirm(office, button, name, reason=""):
    """Press the button, look at what it says will happen, and do it."""
    page = office.page
    page.get_by_role("button", name=button, exact=True).first.click()
    page.wait_for_selector("input[name=confirmed]", state="attached")
    if reason:
        page.fill("[name=reason]", reason)
    office.look(name)
    page.locator("form:has(input[name=confirmed]) button[type=submit]").first.click()


def test_a_refund_has_two_names(office, pool, names):
    page, receipt = office.page, Receipt.objects.order_by("pk")[0]
    office.enter(names[0])
    office.open(f"/admin/payments/receipt/{receipt.pk}/change/")
    office.look("receipt")
    page.click("a:has-text('Give money back')")
    page.fill("[name=amount]", "12.34")
    page.select_option("[name=taken_from]", "house")
    page.fill("[name=reason]", "A long wait.")
    office.look("refund-ask")
    page.click("main button[type=submit], #content button[type=submit]")
    page.wait_for_selector("text=Asked for. Somebody else has to approve it.")
    refund = Refund.objects.get()
    office.look("refund-asked")
    # Nobody is offered to approve what they asked for.
    assert page.get_by_role("button", name="Decline", exact=True).count() == 1
    assert page.get_by_role("button", name="Approve", exact=True).count() == 0

    office.enter(names[1])
    page.click(".home-queue:has-text('Refunds for a second name')")
    page.wait_for_selector("#result_list >> text=12.34 USD")
    office.open(f"/admin/payments/refund/{refund.pk}/change/")
    confirm(office, "Approve", "refund-second-name")
    page.wait_for_selector("text=1 of 1")
    assert Refund.objects.get().status != "requested"
    assert Refund.objects.get().approved_by == names[1]


def test_a_pool_is_cancelled_with_two_names_and_its_money_given_back(office, pool, names):
    page = office.page
    office.enter(names[0])
    office.open(f"/admin/pools/pool/{pool.pk}/change/")
    page.click("a:has-text('Cancel and give all money back')")
    page.fill("[name=reason]", "Too few players.")
    office.look("cancellation-ask")
    page.click("button[name=_save], input[name=_save]")
    cancellation = Cancellation.objects.get()

    office.enter(names[1])
    page.click(".home-queue:has-text('Cancellations for a second name')")
    office.open(f"/admin/payments/cancellation/{cancellation.pk}/change/")
    confirm(office, "Confirm", "cancellation-second-name")
    page.wait_for_selector("text=1 of 1")
    carried_out(cancellation)
    # The provider is away: what is on its way is waited for.
    office.open_still(f"/admin/payments/cancellation/{cancellation.pk}/change/")
    office.look("cancellation-under-way")
    assert set(Entry.objects.values_list("status", flat=True)) == {"void"}


def test_a_dispute_is_found_looked_into_and_asked_about(office, pool, names):
    page, receipt = office.page, Receipt.objects.order_by("pk")[0]
    dispute = Dispute.objects.create(
        receipt=receipt, provider="stripe", provider_reference="dp_1", amount_cents=5000, currency="usd",
        reason="fraudulent", status="needs_response", livemode=False, opened_at=database_now(),
        evidence_due_at=database_now() + timedelta(days=2),
    )  # fmt: skip
    office.enter(names[0])
    page.click(".home-queue:has-text('Disputes to answer')")
    office.look("disputes")
    office.open(f"/admin/payments/dispute/{dispute.pk}/change/")
    office.look("dispute")
    confirm(office, "Ask the provider again", "dispute-ask")
    page.wait_for_selector("text=1 of 1")
