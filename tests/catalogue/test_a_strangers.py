"""A. News that is not signed, not ours, not known, or poison; and what the provider knows although we lost it."""

import hashlib
import hmac
import json
import time
from io import StringIO

import pytest
import stripe
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from config.clock import database_now
from entries.models import Entry, Request
from payments import tasks
from payments.models import (
    Discrepancy,
    DiscrepancyKind,
    JournalEntry,
    Payment,
    PaymentState,
    Receipt,
    WebhookEvent,
    WebhookRefusal,
)
from payments.services.inbox import retry_event, sweep_events
from tests.factories.entries import RequestFactory
from tests.factories.payments import payment_for
from tests.support.payments import ROTATED, SECRET, WEBHOOK, code_of, deliver, events, post_event, started

pytestmark = pytest.mark.django_db(transaction=True)

PAID = "checkout.session.completed"
WRONG = (400, "SIGNATURE_INVALID")


@pytest.fixture
def paid(api, player, unpaid, double):
    payment = started(api(player), unpaid)
    assert double.pay(payment.checkout_url)[0] == 200
    return payment


def event_of(double, type=PAID):
    (found,) = events(double, type)
    return found


def made_up(subject, *, type=PAID, **fields):
    return {
        "id": "evt_made_up",
        "object": "event",
        "type": type,
        "livemode": False,
        "data": {"object": subject},
    } | fields


def outcome_of(event):
    """Take it in, look into it: status and reason."""
    assert post_event(event).status_code == 200
    sweep_events()
    row = WebhookEvent.objects.get(event_id=event["id"])
    return row.status, row.ignored_because


def doubts(**about):
    return list(Discrepancy.objects.filter(**about).values_list("kind", "status"))


class Test09Signatures:
    @pytest.mark.parametrize("header", ["", "garbage", "t=1,v1=00", "t=,v1=", "v0=00,t=1"])
    def test_09_a_wrong_missing_or_garbage_signature_leaves_a_count_and_a_fingerprint(self, paid, double, header):
        body = json.dumps(event_of(double)).encode()

        with CaptureQueriesContext(connection) as captured:
            assert code_of(post_event(body, header=header)) == WRONG

        refusal = WebhookRefusal.objects.get()
        assert (refusal.provider, refusal.times) == ("stripe", 1)
        assert refusal.sample_sha256 == hashlib.sha256(body).hexdigest()
        assert not WebhookEvent.objects.exists()
        assert len(captured) == 1

    def test_09_v0_alone_and_one_byte_changed_are_refused(self, paid, double):
        raw, now = json.dumps(event_of(double)), int(time.time())
        header = stripe.WebhookSignature.generate_signature_header(raw, SECRET, now)

        assert code_of(post_event(raw.encode(), header=header.replace("v1=", "v0="))) == WRONG
        assert code_of(post_event(raw.replace(PAID, "xheckout.session.completed").encode(), header=header)) == WRONG
        assert WebhookRefusal.objects.get().times == 2
        assert not WebhookEvent.objects.exists()

    def test_09_refusals_without_a_database_are_refusals_all_the_same(self, double, monkeypatch):
        monkeypatch.setattr("payments.services.inbox.receiving.COUNT_REFUSAL", "SELECT 1 / 0")
        assert code_of(post_event(b"{}", header="garbage")) == WRONG


class Test12Rotation:
    def test_12_both_secrets_are_good_during_the_window(self, double):
        for number, secret in enumerate((SECRET, ROTATED)):
            assert post_event(made_up({}, id=f"evt_{number}"), secret=secret).status_code == 200
        assert not WebhookRefusal.objects.exists()

    def test_12_any_other_secret_is_refused_and_from_twenty_in_an_hour_on_a_person_is_told(self, double, settings):
        assert settings.WEBHOOK_REFUSALS_PER_HOUR == 20
        for _ in range(19):
            assert code_of(post_event(made_up({}), secret="whsec_of_somebody_else")) == WRONG
        assert doubts() == []

        post_event(made_up({}), secret="whsec_of_somebody_else")

        assert doubts() == [("signatures", "open")]
        assert WebhookRefusal.objects.get().times == 20


class Test13Bodies:
    def signed(self, raw):
        stamp = int(time.time())
        digest = hmac.new(SECRET.encode(), f"{stamp}.".encode() + raw, hashlib.sha256).hexdigest()
        return Client().post(
            WEBHOOK, raw, content_type="application/json", headers={"Stripe-Signature": f"t={stamp},v1={digest}"}
        )

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            (b"\xff\xfe\x00", 400),
            (b"", 400),
            (b"{", 400),
            (b"[]", 400),
            (b"{}", 400),
            (b'{"id": NaN}', 400),
            (b"[" * 100_000, 400),
            (b'{"id": "evt_1", "type": "a", "x": "' + b"x" * 300_000 + b'"}', 413),
            (b" " * 2_000_000, 413),
        ],
    )
    def test_13_a_body_that_is_no_event_is_refused_and_never_a_crash(self, double, body, status):
        answer = self.signed(body)

        assert answer.status_code == status
        assert answer.json()["success"] is False
        assert not WebhookEvent.objects.exists()


class Test14Modes:
    def test_14_news_of_the_other_mode_is_kept_told_and_touches_nothing(self, paid, double):
        assert outcome_of({**event_of(double), "livemode": True}) == ("ignored", "livemode")

        assert doubts() == [("livemode_leak", "open")]
        assert not Receipt.objects.exists()
        assert Payment.objects.get().status == PaymentState.OPEN


class Test15Missing:
    def test_15_another_product_of_the_account_is_put_aside(self, double):
        double.foreign_charge(metadata={"order": "7"}, checkout=True)
        deliver(double)

        sweep_events()

        assert set(WebhookEvent.objects.values_list("status", flat=True)) == {"ignored"}
        assert set(WebhookEvent.objects.values_list("ignored_because", flat=True)) <= {"foreign", "not_followed"}
        assert doubts() == []
        assert not JournalEntry.objects.exists()

    @pytest.mark.parametrize("type", [PAID, "payment_intent.succeeded", "charge.succeeded"])
    def test_15_with_our_mark_and_without_our_row_it_is_brought_back(self, paid, unpaid, double, type):
        forget_payment(paid)

        assert outcome_of(event_of(double, type)) == ("processed", "")

        again = Payment.objects.get()
        assert (again.pk, again.ref, again.status) == (paid.pk, paid.ref, PaymentState.SUCCEEDED)
        assert Entry.objects.get().request == unpaid
        assert doubts() == [("missing_locally", "resolved")]
        assert f"Payment {paid.pk} was made again" in Discrepancy.objects.get().resolution

    def test_15_what_the_provider_does_not_know_either_is_told(self, double):
        ours = {"id": "cs_test_1", "metadata": {"ref": "0e5e9e0c-4b1f-4f0e-8f5d-1f2f3a4b5c6d", "env": "test"}}

        assert outcome_of(made_up(ours)) == ("ignored", "missing_here")
        assert doubts() == [("missing_locally", "open")]


class Test16Environments:
    def test_16_news_of_another_environment_is_put_aside(self, paid, double):
        event = event_of(double)
        event["data"]["object"]["metadata"]["env"] = "staging"

        assert outcome_of(event) == ("ignored", "other_environment")
        assert doubts() == []
        assert not Receipt.objects.exists()


class Test17Unknown:
    def test_17_a_type_of_a_newer_version_is_kept_and_changes_nothing(self, paid, double):
        assert outcome_of(made_up({"id": "x"}, type="something.new", api_version="2099-01-01.x")) == (
            "ignored", "not_followed",
        )  # fmt: skip
        assert WebhookEvent.objects.get().api_version == "2099-01-01.x"

    def test_17_an_unknown_value_in_known_news_changes_nothing(self, paid, double):
        event = event_of(double)
        event["data"]["object"] |= {"status": "half_complete", "payment_status": "perhaps"}

        assert outcome_of(event) == ("processed", "")
        assert Receipt.objects.count() == Entry.objects.count() == 1


class Test19Poison:
    def test_19_poison_is_tried_ten_times_told_and_stops_nobody(self, paid, unpaid, double):
        bad = payment_for(RequestFactory(approved=True), provider_reference="cs_test_nowhere")
        post_event(made_up({"id": "cs_test_nowhere", "metadata": {"ref": str(bad.ref), "env": "test"}}))
        deliver(double)
        pauses = []
        for _ in range(10):
            WebhookEvent.objects.filter(status="received").update(due_at=database_now())
            sweep_events()
            row = WebhookEvent.objects.get(event_id="evt_made_up")
            pauses.append(round((row.due_at - database_now()).total_seconds() / 5))

        assert Entry.objects.get().request == unpaid
        assert (row.status, row.attempts) == ("dead", 10)
        assert pauses[:3] == [1, 4, 16]
        assert doubts() == [("poison_webhook", "open")]
        assert WebhookEvent.objects.exclude(pk=row.pk).filter(status="received").count() == 0

    def test_19_poison_that_is_looked_into_after_all_is_settled(self, paid, double, settings):
        deliver(double, PAID)
        address, settings.STRIPE_API_BASE = settings.STRIPE_API_BASE, "http://127.0.0.1:9"
        WebhookEvent.objects.update(attempts=9)
        sweep_events()
        assert doubts() == [("poison_webhook", "open")]

        settings.STRIPE_API_BASE = address
        assert retry_event(event_id=WebhookEvent.objects.get().pk)
        sweep_events()

        assert doubts() == [("poison_webhook", "resolved")]
        assert Entry.objects.count() == 1


class Test60Restore:
    """The last hour is gone: what happened in it is known to the provider alone."""

    def test_60_receipts_and_entries_come_back_under_stable_names_and_are_listed(self, api, double):
        requests = [RequestFactory(approved=True) for _ in range(3)]
        payments = [started(api(request.user), request) for request in requests]
        for payment in payments:
            double.pay(payment.checkout_url)
        deliver(double)
        sweep_events()
        before = places()
        ledger = sums()
        restore_from_before(payments)
        assert places() == []

        printed, failure = reconcile()

        assert places() == before
        assert sums() == ledger
        assert failure == "3 differences"
        assert printed.count("missing_locally") == 3
        assert doubts() == [("missing_locally", "resolved")] * 3
        assert reconcile() == ("Everything agrees.\n", None)
        # Nobody is given a number that was given before.
        assert started(api(requests[0].user), RequestFactory(approved=True, user=requests[0].user)).pk > payments[-1].pk

    def test_60_money_whose_request_is_lost_as_well_is_booked_and_waits_for_a_person(self, paid, unpaid, double):
        forget_payment(paid)
        behind_the_guards("DELETE FROM entries_request WHERE id = %s", unpaid.pk)

        printed, failure = reconcile()

        assert failure is not None
        assert "missing_locally" in printed
        row = Discrepancy.objects.get(kind=DiscrepancyKind.MISSING_LOCALLY)
        assert row.status == "open"
        assert row.details["charge"]["amount_cents"] == 5000
        assert row.details["origin"]["request_id"] == unpaid.pk
        assert "client_secret" not in row.details
        assert JournalEntry.objects.filter(source_type="charge", event="received").count() == 1
        assert sums() == {"clearing": 5000, "unallocated": -5000}

        reconcile()
        assert JournalEntry.objects.count() == 1

    def test_60_a_request_that_was_given_the_lost_one_s_number_is_not_paid_by_it(self, paid, unpaid, double):
        forget_payment(paid)
        behind_the_guards(
            "UPDATE entries_request SET created_at = created_at + interval '1 hour' WHERE id = %s", unpaid.pk
        )

        reconcile()

        assert not Payment.objects.exists()
        assert not Entry.objects.exists()
        assert doubts() == [("missing_locally", "open")]

    def test_60_of_two_sessions_of_one_request_the_one_we_know_goes_on(self, paid, api, player, unpaid, double):
        forget_payment(paid)
        second = started(api(player), unpaid, key="key-2")

        reconcile()

        assert Entry.objects.get().request == unpaid
        first = Payment.objects.get(ref=paid.ref)
        assert first.status == PaymentState.SUCCEEDED
        tasks.sweep_payments()
        second.refresh_from_db()
        assert second.status in (PaymentState.OPEN, PaymentState.CANCELLED)


def forget_payment(payment):
    behind_the_guards("DELETE FROM payments_payment WHERE id = %s", payment.pk)


def restore_from_before(payments):
    """Everything since the approval is gone, the sequence of payments included."""
    for table in (
        "payments_posting", "payments_journalentry", "payments_movement", "payments_receiptchange", "payments_receipt",
        "payments_paymentchange", "payments_payment", "payments_webhookevent", "entries_entrychange", "entries_entry",
        "config_outboxmessage",
    ):  # fmt: skip
        behind_the_guards(f"DELETE FROM {table}")
    behind_the_guards("UPDATE entries_request SET payment_status = 'pending'")
    behind_the_guards("ALTER SEQUENCE payments_payment_id_seq RESTART")
    assert Request.objects.count() == len(payments)


def behind_the_guards(sql, *parameters):
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(sql, parameters)
        cursor.execute("SET session_replication_role = origin")


def places():
    """Who has which place, paid by which payment and charge."""
    return sorted(
        Receipt.objects.values_list(
            "payment_id", "payment__ref", "charge_id", "amount_cents", "status", "entry__request"
        )
    )


def sums():
    """What each kind of account has come to."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.kind, sum(p.amount) FROM payments_posting p JOIN payments_account a ON a.id = p.account_id"
            " GROUP BY a.kind HAVING sum(p.amount) <> 0"
        )
        return {kind: int(total) for kind, total in cursor.fetchall()}


def reconcile(*arguments):
    out = StringIO()
    try:
        call_command("reconcile", *arguments, stdout=out)
    except CommandError as failure:
        return out.getvalue(), str(failure)
    return out.getvalue(), None
