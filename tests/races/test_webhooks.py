"""The same news twenty times at once: one receipt, one entry, one mail."""

import pytest
from django.db import IntegrityError

from config.models import OutboxMessage
from entries.models import Entry
from payments.models import Payment, PaymentState, Receipt, WebhookEvent
from payments.providers import provider_named
from payments.services.inbox import process_event, sweep_events
from payments.services.provider_state import Source, apply_facts, apply_provider_state
from tests.support.payments import deliver, events, post_event, started
from tests.support.threads import errors, run_together

pytestmark = pytest.mark.django_db(transaction=True)

COPIES = 20


@pytest.fixture
def paid(api, player, unpaid, double):
    payment = started(api(player), unpaid)
    assert double.pay(payment.checkout_url)[0] == 200
    return payment


def booked_once():
    """How often the money was booked, became an entry, was mailed: each once."""
    assert Payment.objects.get().status == PaymentState.SUCCEEDED
    mails = OutboxMessage.objects.filter(kind="mail.payment_received")
    return (Receipt.objects.count(), Entry.objects.count(), mails.count()) == (1, 1, 1)


@pytest.mark.parametrize("repetition", range(20))
def test_twenty_copies_of_one_webhook_at_once_book_the_money_once(paid, double, repetition):
    (event,) = events(double, "checkout.session.completed")

    def arrive():
        answer = post_event(event)
        # Every copy brings its own hint.
        process_event(event_id=WebhookEvent.objects.values_list("pk", flat=True).get())
        return answer.status_code

    outcomes = run_together([arrive] * COPIES)

    assert [outcome.error for outcome in outcomes] == [None] * COPIES
    assert {outcome.value for outcome in outcomes} == {200}
    assert WebhookEvent.objects.get().deliveries == COPIES
    sweep_events()
    assert WebhookEvent.objects.get().status == "processed"
    assert booked_once()


@pytest.mark.parametrize("repetition", range(20))
def test_different_news_of_one_payment_at_once_book_the_money_once(paid, double, repetition):
    deliver(double)
    rows = list(WebhookEvent.objects.values_list("pk", flat=True))
    calls = [lambda pk=pk: process_event(event_id=pk) for pk in rows]
    calls += [
        lambda source=source: apply_provider_state(payment_id=paid.pk, source=source)
        for source in (Source.RETURN_PAGE, Source.SWEEP, Source.ADMIN)
    ]

    outcomes = run_together(calls)

    assert [outcome.error for outcome in outcomes] == [None] * len(calls)
    assert booked_once()


@pytest.mark.parametrize("repetition", range(5))
def test_without_the_locks_the_race_is_lost(paid, double, repetition, monkeypatch):
    """The control: the calls above do meet. What is left then is the database, which refuses the second booking."""
    monkeypatch.setattr("config.locks.LockedQuerySet.locked", lambda self, **_: self.all())
    # Writing the payment first would make the others wait as well.
    monkeypatch.setattr("payments.services.provider_state._move", lambda payment, facts: None)
    facts = provider_named("stripe").fetch(paid.provider_reference)

    outcomes = run_together([lambda: apply_facts(paid, facts, source=Source.WEBHOOK)] * COPIES)

    assert any(isinstance(error, IntegrityError) for error in errors(outcomes))
    assert Receipt.objects.count() == Entry.objects.count() == 1
