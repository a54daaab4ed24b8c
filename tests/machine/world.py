"""One pool, its players, two people of finance, and a double of Stripe: everything the machine can do to them.

What a call is refused with is no failure: a player may click at any time. What must hold is asked once all is quiet.
"""

from contextlib import contextmanager, suppress
from datetime import timedelta
from itertools import count

from django.db import connection
from rest_framework.test import APIClient

from config import outbox
from config.clock import database_now
from config.errors import DomainError
from entries.services.requests import withdraw_request
from payments.models import (
    Discrepancy,
    ManualRecord,
    ManualState,
    Payment,
    Receipt,
    ReceiptState,
    Refund,
    RefundState,
)
from payments.providers.stripe.provider import StripeProvider
from payments.services import inbox
from payments.services.backfill import fetch_missed_notices
from payments.services.cancellations import confirm_cancellation, propose_cancellation
from payments.services.catching_up import catch_up
from payments.services.charge_state import apply_charge_state
from payments.services.manual.deciding import confirm_record, reject_record
from payments.services.manual.incoming import record_payment
from payments.services.manual.records import Handover
from payments.services.provider_state import Source
from payments.services.refunds.deciding import approve_refund, decline_refund, request_refund
from payments.services.refunds.sending import sweep_refunds
from payments.services.sweep import sweep_payments
from payments.services.waivers import waive_fee
from tests.factories.accounts import FinanceFactory, UserFactory
from tests.factories.entries import RequestFactory
from tests.factories.pools import PoolFactory
from tests.support.payments import DECLINED, GOOD, events, post_event, start

FEE = 5000
NOW = timedelta()
FAULTS = ("drop_before", "drop_after", "error_before", "error_after", "rate_limit", "lock_timeout")
CALLS = ("create_session", "fetch", "expire", "fetch_charge", "create_refund", "find_refund")


class Killed(BaseException):
    """The process is gone: nothing after this instant happens, and no handler hears of it."""


class World:
    """What can be done, in the words of those who do it."""

    def __init__(self, double, monkeypatch):
        self.double, self.monkeypatch = double, monkeypatch
        self.pool = PoolFactory(status="open", entry_fee_cents=FEE, capacity=6, rules={"house_fee_bp": 1000})
        self.first, self.second = FinanceFactory(), FinanceFactory()
        self.requests, self.sent, self.numbers = [], 0, count(1)

    # Players

    def approve(self):
        """A player asked and was approved."""
        request = RequestFactory(approved=True, pool=self.pool, user=UserFactory())
        self.requests.append(request)

    def click(self, request, fault, death):
        """The player starts to pay, or clicks again; the provider may fail, and our process may die."""
        if fault is not None:
            self.double.fault(action=fault, method="POST", path="/v1/checkout/sessions")
        client = APIClient()
        client.force_authenticate(request.user)
        with self.dying("create_session", death):
            start(client, request, key=f"key-{next(self.numbers)}")

    def pay(self, request, card):
        """Some page of the request that is still open is paid; it may be one that we never heard of."""
        for session in self.sessions(request):
            if session["status"] == "open":
                self.double.pay(session["url"], GOOD if card else DECLINED)

    def come_back(self, request, death):
        """The player returns from the page that was left."""
        for payment in Payment.objects.filter(request=request):
            with self.dying("fetch", death):
                APIClient().get(f"/payments/return?ref={payment.ref}")

    def withdraw(self, request):
        with suppress(DomainError):
            withdraw_request(request=request, by=request.user, now=database_now())

    # The provider

    def deliver(self, some, *, backwards, twice):
        """News comes: in any order, some of it never, some of it again."""
        found = events(self.double)
        chosen = [event for number, event in enumerate(found) if number >= self.sent or number % 5 == some]
        self.sent = len(found)
        for event in reversed(chosen) if backwards else chosen:
            for _ in range(2 if twice else 1):
                post_event(event)

    def refund_at_the_dashboard(self, request, amount):
        for charge in self.charges(request):
            with suppress(AssertionError):
                self.double.dashboard_refund(min(amount, charge["amount"]), charge=charge["id"])

    def dispute(self, request, *, inquiry):
        for charge in self.charges(request):
            with suppress(AssertionError):
                self.double.dispute(charge=charge["id"], inquiry=inquiry)

    def decide_dispute(self, status):
        for dispute in self.ours("dispute"):
            with suppress(AssertionError):
                self.double.move_dispute(dispute["id"], status)

    def fail_refund(self):
        """The last one."""
        for refund in self.ours("refund")[-1:]:
            with suppress(AssertionError):
                self.double.move_refund(refund["id"], "failed", failure_reason="expired_or_canceled_card")

    def hold_refunds(self):
        self.double.next_refunds("pending", pending_reason="insufficient_funds")

    # Staff

    def waive(self, request):
        with suppress(DomainError):
            waive_fee(request_id=request.pk, by=self.first, reason="a friend of the house", now=database_now())

    def take_cash(self, request, amount, *, confirm):
        number = next(self.numbers)
        with suppress(DomainError):
            record = record_payment(
                request_id=request.pk, handover=Handover("cash", f"R-{self.pool.pk}-{number}", database_now()),
                amount_cents=amount, currency="usd", by=self.first, now=database_now(),
            )  # fmt: skip
            if confirm:
                confirm_record(record_id=record.pk, by=self.second)
            else:
                reject_record(record_id=record.pk, by=self.second, reason="the till is short")

    def refund(self, request, taken_from, amount, death):
        for receipt in Receipt.objects.filter(payment__request=request):
            with suppress(DomainError):
                request_refund(
                    receipt_id=receipt.pk, amount_cents=None if taken_from == "place" else amount,
                    taken_from=taken_from, reason="the player asked", by=self.first, now=database_now(),
                )  # fmt: skip
        with self.dying("create_refund", death):
            self.work()

    def decide_refunds(self, *, approve):
        for refund in Refund.objects.filter(status=RefundState.REQUESTED, receipt__payment__request__in=self.requests):
            with suppress(DomainError):
                if approve:
                    approve_refund(refund_id=refund.pk, by=self.second)
                else:
                    decline_refund(refund_id=refund.pk, by=self.second, reason="no")

    def cancel(self):
        with suppress(DomainError):
            cancellation = propose_cancellation(pool=self.pool, by=self.first, reason="too few players")
            confirm_cancellation(cancellation_id=cancellation.pk, by=self.second)

    # The machine

    def work(self):
        """What workers do, as if all of it were due."""
        with connection.cursor() as cursor:
            cursor.execute("UPDATE config_outboxmessage SET due_at = now() WHERE done_at IS NULL AND dead_at IS NULL")
            cursor.execute("UPDATE payments_webhookevent SET due_at = now() WHERE status = 'received'")
        inbox.sweep_events()
        outbox.drain()

    def sweep(self, death=None, call="fetch"):
        with self.dying(call, death):
            sweep_payments(patience=NOW)
            sweep_refunds(patience=NOW)
            for receipt in Receipt.objects.filter(payment__request__in=self.requests).order_by("pk"):
                apply_charge_state(receipt_id=receipt.pk, source=Source.SWEEP)

    def quiet_down(self):
        """No fault strikes any more, and everything that is under way comes to its end."""
        self.double.control("DELETE", "/faults")
        for record in ManualRecord.objects.filter(status=ManualState.RECORDED):
            with suppress(DomainError):
                confirm_record(record_id=record.pk, by=self.second)
        self.decide_refunds(approve=True)
        fetch_missed_notices()
        for _ in range(4):
            self.work()
            self.sweep()
        catch_up()

    @contextmanager
    def dying(self, call, death):
        """The process dies `before` or `after` this call to the provider, if it comes to one."""
        if death is None:
            yield
            return
        original = getattr(StripeProvider, call)

        def die(provider, *args, **kwargs):
            if death == "after":
                original(provider, *args, **kwargs)
            raise Killed

        with self.monkeypatch.context() as patch, suppress(Killed):
            patch.setattr(StripeProvider, call, die)
            yield

    # What is there

    def sessions(self, request):
        found = self.double.state()["objects"].get("checkout.session", [])
        return [session for session in found if session["metadata"].get("request") == str(request.pk)]

    def ours(self, kind):
        """Of this world: nobody asks about those of the worlds before it any more."""
        charges = {charge["id"] for request in self.requests for charge in self.charges(request)}
        return [one for one in self.double.state()["objects"].get(kind, []) if one["charge"] in charges]

    def charges(self, request):
        found = self.double.state()["objects"].get("charge", [])
        return [one for one in found if one["paid"] and one["metadata"].get("request") == str(request.pk)]

    def open_doubts(self, receipt):
        return Discrepancy.objects.filter(
            object_key__in=(f"receipt:{receipt.pk}", f"charge:{receipt.provider}:{receipt.charge_id}"),
            status__in=("open", "acknowledged"),
        )

    def is_accounted_for(self, receipt):
        """Exactly one entry's price; or back, or on its way back; or in a queue; or lost to a dispute."""
        if receipt.status == ReceiptState.ALLOCATED:
            return receipt.entry_id is not None
        if receipt.status in (ReceiptState.RETURNED, ReceiptState.CHARGED_BACK):
            return True
        if receipt.status == ReceiptState.RETURNING:
            return receipt.refunds.exclude(status=RefundState.CANCELLED).exists()
        return self.open_doubts(receipt).exists() or receipt.refunds.exists()
