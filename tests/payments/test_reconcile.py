"""`manage.py reconcile`: finds what differs, says so, and fails; says nothing against books that agree."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from config.clock import database_now
from entries.models import Entry, EntryStatus, PaymentStatus
from payments.models import Discrepancy, Payment, Receipt
from tests.factories.entries import EntryFactory, RequestFactory
from tests.factories.payments import paid_entry, payment_for, receipt_of, refund_of, unapplied_money
from tests.support.buying_back import ask, fallen_in, generous_pool, pay
from tests.support.payments import started
from tests.support.reconciling import behind_the_guards

pytestmark = pytest.mark.django_db(transaction=True)


def reconcile(*arguments):
    """What it prints, and what it fails with."""
    out = StringIO()
    try:
        call_command("reconcile", *arguments, stdout=out)
    except CommandError as failure:
        return out.getvalue(), str(failure)
    return out.getvalue(), None


def grow_old(model):
    table = model._meta.db_table
    behind_the_guards(f"UPDATE {table} SET created_at = created_at - interval '1 hour'")


def kinds(printed):
    return [line.split()[0] for line in printed.splitlines()]


def test_books_that_agree_are_said_to_agree(double):
    paid_entry()
    RequestFactory(approved=True)

    assert reconcile() == ("Everything agrees.\n", None)


def test_money_that_nobody_told_us_of_is_booked_by_the_way(api, player, unpaid, double):
    double.pay(started(api(player), unpaid).checkout_url)

    assert reconcile() == ("Everything agrees.\n", None)
    assert Receipt.objects.get().source == "reconcile"
    assert Entry.objects.get().request == unpaid


def test_a_waived_fee_needs_no_money(moderator, double):
    request = RequestFactory(
        approved=True, payment_status=PaymentStatus.COMPLETED, waived_by=moderator, waiver_reason="a friend"
    )
    Entry.objects.create(request=request, pool=request.pool, user=request.user, number=1)

    assert reconcile()[1] is None


def test_payments_that_cannot_be_asked_about_are_told(api, player, unpaid, double, settings):
    payment = started(api(player), unpaid)
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"

    printed, failure = reconcile()

    assert kinds(printed) == ["not_answered", "not_answered"]
    assert f"payment {payment.pk}" in printed
    assert "asked for its sessions" in printed
    assert failure == "2 differences"


def test_a_provider_that_is_away_is_not_asked_about_every_payment(double, settings):
    for _ in range(5):
        payment_for(RequestFactory(approved=True))
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"

    printed, failure = reconcile()

    assert printed.count("could not be asked") == 3
    assert "further payments" in printed
    assert failure == "4 differences"


class TestPlanted:
    """Each kind of difference, planted, is found under its name; and only it."""

    def found(self):
        printed, failure = reconcile()
        assert failure is not None
        return kinds(printed)

    def test_success_without_a_receipt(self, unpaid, double):
        behind_the_guards("UPDATE payments_payment SET status = 'succeeded' WHERE id = %s", payment_for(unpaid).pk)

        assert self.found() == ["succeeded_without_receipt"]

    def test_a_receipt_without_success(self, unpaid, double):
        payment = payment_for(unpaid, status="cancelled")
        receipt_of(payment, status="unapplied", unapplied_because="too_late")

        assert self.found() == ["receipt_without_success"]

    def test_an_amount_that_is_not_the_one_asked_for(self, double):
        paid_entry()
        behind_the_guards("UPDATE payments_receipt SET amount_cents = 1")

        assert self.found() == ["amount_mismatch"]

    def test_money_of_the_other_mode(self, double):
        paid_entry()
        behind_the_guards("UPDATE payments_receipt SET livemode = true")

        assert self.found() == ["livemode_mismatch"]

    def test_money_of_a_void_entry(self, double):
        entry = paid_entry()
        entry.status = EntryStatus.VOID
        entry.save(update_fields=["status"])

        assert self.found() == ["paid_void_entry"]

    def test_money_that_waits_becomes_a_place_where_there_is_one(self, double):
        receipt = unapplied_money()
        assert reconcile()[1] is None

        grow_old(Receipt), grow_old(Payment)
        printed, failure = reconcile()

        receipt.refresh_from_db()
        assert (kinds(printed), failure, receipt.status) == (["healed", "Everything"], None, "allocated")

    def test_money_that_a_person_has_to_decide_about(self, double):
        unapplied_money(because="wrong_amount", amount_cents=4900)

        grow_old(Receipt), grow_old(Payment)
        assert self.found() == ["money_without_place"]
        assert Discrepancy.objects.get(status="open").kind == "amount_mismatch"

    def test_an_entry_without_money(self, double):
        EntryFactory()

        assert self.found() == ["entry_without_money"]

    def test_a_paid_request_without_an_entry(self, double):
        RequestFactory(paid=True)

        assert self.found() == ["request_without_entry"]

    def test_only_the_days_asked_for_are_compared(self, double):
        EntryFactory()
        today = database_now().date()

        assert reconcile("--to", str(today - timedelta(days=2)))[1] is None
        assert (
            reconcile("--from", str(today - timedelta(days=1)), "--to", str(today + timedelta(days=1)))[1] is not None
        )


def test_days_that_end_before_they_begin_are_refused(double):
    assert reconcile("--from", "2026-02-01", "--to", "2026-01-01") == ("", "2026-01-01 is before 2026-02-01.")


class TestReturns:
    @pytest.fixture
    def asked(self, player, double):
        return ask(fallen_in(generous_pool(fee=2500), owner=player))

    def paid(self, asked):
        with transaction.atomic():
            payment = payment_for(asked, status="succeeded")
            pay(asked)
            receipt_of(payment, status="allocated", entry=asked.bought_entry)

    def about(self, request):
        return [line for line in reconcile()[0].splitlines() if f"request {request.pk}" in line]

    def test_one_that_is_paid_agrees(self, asked):
        self.paid(asked)
        assert self.about(asked) == []

    def test_one_that_brought_nobody_back_is_told(self, asked):
        behind_the_guards("UPDATE entries_request SET payment_status = 'completed' WHERE id = %s", asked.pk)
        assert kinds("\n".join(self.about(asked))) == ["buy_back_without_return"]

    def test_one_without_money_is_told(self, asked):
        self.paid(asked)
        behind_the_guards("UPDATE payments_receipt SET status = 'returned'")
        assert kinds("\n".join(self.about(asked))) == ["return_without_money"]

    def test_its_money_does_not_stand_for_the_place(self, asked):
        self.paid(asked)
        assert f"entry {asked.bought_entry_id}" in reconcile()[0]


class TestRefunds:
    """Money that is not where it should be on its way back. The provider knows none of these charges."""

    def about(self, row):
        noun = type(row).__name__.lower()
        lines = reconcile()[0].splitlines()
        return kinds("\n".join(line for line in lines if f"{noun} {row.pk}" in " ".join(line.split())))

    def test_one_that_arrived_agrees(self, double):
        receipt = unapplied_money()
        refund = refund_of(receipt)

        assert (self.about(refund), self.about(receipt)) == ([], [])

    def test_one_that_nobody_sends_is_told(self, double, settings):
        refund = refund_of(unapplied_money(), status="sending")
        settings.STRIPE_API_BASE = "http://127.0.0.1:9"
        assert self.about(refund) == ["not_answered"]

        behind_the_guards("UPDATE payments_refund SET decided_at = decided_at - interval '1 hour'")
        assert self.about(refund) == ["not_answered", "refund_not_sent"]

    def test_one_that_failed_is_owed_until_it_is_replaced(self, double):
        receipt = unapplied_money()
        refund = refund_of(receipt, status="failed")
        assert self.about(refund) == ["refund_failed"]
        assert self.about(receipt) == []

        refund_of(receipt, replaces=refund, taken_from="replaced")
        assert self.about(refund) == []

    def test_one_that_nobody_has_explained_is_told(self, double):
        paid_entry()
        refund = refund_of(Receipt.objects.get(), amount_cents=100, origin="dashboard", taken_from="undecided")

        assert self.about(refund) == ["external_refund"]

    def test_a_receipt_that_is_said_to_go_back_has_a_refund(self, double):
        receipt = unapplied_money()
        behind_the_guards("UPDATE payments_receipt SET status = 'returning'")

        assert self.about(receipt) == ["returning_without_refund"]

    def test_more_than_came_is_told(self, double):
        receipt = unapplied_money()
        refund_of(receipt)
        behind_the_guards("UPDATE payments_refund SET amount_cents = 5001")

        assert self.about(receipt) == ["more_back_than_came"]

    def test_a_place_that_was_taken_back_has_no_money_that_counts(self, double):
        request = paid_entry().request
        behind_the_guards("UPDATE entries_request SET payment_status = 'refunded' WHERE id = %s", request.pk)

        assert "refunded_but_counted" in self.about(Receipt.objects.get())
