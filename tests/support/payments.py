"""Paying at the double, and carrying its news to the webhook as Stripe would: raw bytes, freshly signed."""

import json
import time
from dataclasses import replace
from datetime import timedelta

import stripe
from django.test import Client

from config.clock import database_now
from entries.models import Entry
from payments.models import Payment, PaymentState
from payments.services import sessions
from payments.services.provider_state import Source, apply_provider_state

SESSIONS = "/v1/checkout/sessions"
WEBHOOK = "/api/v1/webhooks/stripe"
SECRET = "whsec_of_these_tests_0123456789"
ROTATED = "whsec_of_these_tests_after_the_rotation"
# What can go wrong with a call to the provider, whatever it is about.
TROUBLE = (
    {"action": "drop_before"},
    {"action": "drop_after"},
    {"action": "error_before", "status": 503},
    {"action": "error_after", "status": 500},
    {"action": "rate_limit"},
    {"action": "lock_timeout"},
)
GOOD, DECLINED = "4242424242424242", "4000000000000002"


def start(client, request, *, key="key-1"):
    """The answer to starting a payment."""
    return client.post(f"/api/v1/requests/{request.pk}/payment", headers={"Idempotency-Key": key})


def started(client, request, *, key="key-1"):
    """The payment behind a session that was opened just now."""
    answer = start(client, request, key=key)
    assert answer.status_code == 201, answer.content
    return Payment.objects.get(pk=answer.json()["data"]["id"])


def events(double, type="*"):
    """The double's events, oldest first; `*` for all."""
    found = double.state()["objects"].get("event", [])
    return [event for event in found if type in ("*", event["type"])]


def post_event(body, *, secret=SECRET, at=None, header=None, client=None):
    """Post raw bytes to the webhook, signed unless a header is given."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    if header is None:
        stamp = int(time.time()) if at is None else at
        header = stripe.WebhookSignature.generate_signature_header(raw.decode(), secret, stamp)
    return (client or Client()).post(
        WEBHOOK, raw, content_type="application/json", headers={"Stripe-Signature": header} if header else {}
    )


def deliver(double, type="*", **how):
    """Post all events of the type, as the double would; they are taken in, and wait to be looked into."""
    answers = [post_event(event, **how) for event in events(double, type)]
    assert [answer.status_code for answer in answers] == [200] * len(answers)
    return answers


def code_of(answer):
    """Status and code of a refusal."""
    return answer.status_code, answer.json()["error"]["code"]


def opened(double):
    """Every session at the double, oldest first."""
    return double.state()["objects"].get("checkout.session", [])


def payment_left_behind(request, *, ends_in=timedelta(hours=1)):
    """An intent whose process was killed before it heard from the provider."""
    return Payment.objects.create(
        request=request,
        provider="stripe",
        amount_cents=5000,
        currency="usd",
        expires_at=database_now() + ends_in,
        created_by=request.user,
    )


def paid_behind_our_back(request, double, *, asked_cents=5000, asked_currency="usd"):
    """A payment of 50 dollars whose session was asked for with something else, and paid."""
    payment = Payment(
        request=request,
        provider="stripe",
        amount_cents=5000,
        currency="usd",
        expires_at=database_now() + timedelta(hours=1),
        status=PaymentState.CANCELLED,
    )
    payment.save()
    order = replace(sessions.order_of(payment), amount_cents=asked_cents, currency=asked_currency)
    facts = sessions.provider_named("stripe").create_session(order)
    Payment.objects.filter(pk=payment.pk).update(provider_reference=facts.reference)
    payment.refresh_from_db()
    assert double.pay(facts.url)[0] == 200
    return payment


def paid_through(api, double, request, *, key="key-1"):
    """The entry of an approved request whose player pays at the double."""
    payment = started(api(request.user), request, key=key)
    assert double.pay(payment.checkout_url)[0] == 200
    apply_provider_state(payment_id=payment.pk, source=Source.SWEEP)
    return Entry.objects.get(request=request)
