"""The ledger comes to nothing, news is timed, and repetitions are counted."""

import pytest
from django.db import connection

from payments.models import WebhookEvent
from payments.providers.faults import ProviderError
from payments.services.checkout import start_payment
from payments.services.inbox import working
from tests.factories.entries import RequestFactory
from tests.payments.conftest import double, double_process
from tests.support.counting import asked, counted, without_guards
from tests.support.ledger import posted
from tests.support.payments import SECRET, post_event

__all__ = ["double", "double_process"]

EVENT = {
    "id": "evt_figures",
    "object": "event",
    "type": "checkout.session.completed",
    "livemode": False,
    "data": {"object": {"id": "cs_test_figures", "object": "checkout.session"}},
}


@pytest.mark.django_db
def test_a_journal_out_of_balance_is_told_by_how_much():
    entry, _ = posted(100), posted(50)
    assert asked("ledger_imbalance_cents") == {(): 0}
    with without_guards(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE payments_posting SET amount = amount + 7 WHERE journal_entry_id = %s AND amount > 0", [entry]
        )
    assert asked("ledger_imbalance_cents") == {(): 7}


@pytest.mark.django_db(transaction=True)
class TestNews:
    @pytest.fixture(autouse=True)
    def secrets(self, settings):
        settings.STRIPE_WEBHOOK_SECRETS = [SECRET]

    def test_repetitions_are_counted(self):
        before = counted("webhook_duplicates_total", provider="stripe")
        for _ in range(3):
            post_event(EVENT)
        assert counted("webhook_duplicates_total", provider="stripe") == before + 2

    def test_the_time_until_it_was_looked_into_is_measured(self):
        before = counted("webhook_lag_seconds_count")
        post_event({**EVENT, "type": "customer.created"})
        working._finish(WebhookEvent.objects.get(), "not_followed")
        assert counted("webhook_lag_seconds_count") == before + 1

    def test_what_nobody_looks_into_is_counted(self):
        post_event(EVENT)
        assert asked("due_rows_overdue")[("webhook",)] == 0
        WebhookEvent.objects.update(due_at="2026-01-01T00:00Z")
        assert asked("due_rows_overdue")[("webhook",)] == 1
        WebhookEvent.objects.update(status="dead")
        assert (asked("due_rows_overdue")[("webhook",)], asked("webhooks_dead")) == (0, {(): 1})


@pytest.mark.django_db(transaction=True)
def test_calls_to_the_provider_are_timed_by_what_they_came_to(double, settings):
    before = counted("stripe_call_seconds_count", outcome="done")
    request = RequestFactory(approved=True)
    start_payment(request_id=request.pk, user=request.user)
    assert counted("stripe_call_seconds_count", outcome="done") > before
    settings.STRIPE_API_BASE = "http://127.0.0.1:1"
    failed = counted("stripe_call_seconds_count") - counted("stripe_call_seconds_count", outcome="done")
    other = RequestFactory(approved=True)
    with pytest.raises(ProviderError):
        start_payment(request_id=other.pk, user=other.user)
    assert counted("stripe_call_seconds_count") - counted("stripe_call_seconds_count", outcome="done") > failed
