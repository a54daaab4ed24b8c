"""Row 49: what is around us is away, and nothing opens for that: no door, no place, no money.

In full, with a running system: tests/faults. PostgreSQL is row 42.
"""

from datetime import timedelta

import pytest
from django.core import mail

from accounts.models import User
from config import outbox
from config.clock import database_now
from config.models import OutboxMessage
from entries.models import Entry, Pick
from payments.models import Payment, PaymentState
from pools.models import GameChange
from tests.config.api.test_ratelimit import redis_away, redis_frozen
from tests.factories.accounts import PASSWORD, UserFactory
from tests.factories.entries import EntryFactory, RequestFactory
from tests.factories.pools import PoolFactory, league
from tests.payments.conftest import double, double_process, quick_provider
from tests.pools.feeds.conftest import competition, fresh, pull, server, source
from tests.support import bad_server as bad
from tests.support.calls import call, new_place
from tests.support.hashing import make_quick
from tests.support.payments import SESSIONS, opened, start

__all__ = [
    "competition", "double", "double_process", "pull", "quick_provider", "redis_away", "redis_frozen", "server",
    "source",
]  # fmt: skip


def sign_in(api, email, password, address):
    client = api()
    client.defaults["REMOTE_ADDR"] = address
    return call(client, "POST", "/auth/token", {"email": email, "password": password})


# --- Redis ------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("outage", ["redis_away", "redis_frozen"])
def test_row_49_without_redis_guesses_are_counted_all_the_same(request, api, monkeypatch, outage):
    make_quick(monkeypatch)
    request.getfixturevalue(outage)
    user, address = UserFactory(password=PASSWORD), new_place()

    guesses = [sign_in(api, user.email, "wrong", address) for _ in range(6)]

    assert guesses == [(401, "INVALID_CREDENTIALS")] * 5 + [(429, "RATE_LIMITED")]
    assert sign_in(api, user.email, PASSWORD, address) == (429, "RATE_LIMITED")
    assert sign_in(api, user.email, PASSWORD, new_place())[0] == 200


@pytest.mark.django_db
@pytest.mark.parametrize("outage", ["redis_away", "redis_frozen"])
def test_row_49_without_redis_calls_about_money_are_counted_and_picks_are_saved(request, api, player, outage):
    request.getfixturevalue(outage)
    entry = EntryFactory(user=player, in_pool=PoolFactory(competition=league(first_kickoff_in=timedelta(days=9))))
    client = api(player)
    client.credentials(HTTP_IDEMPOTENCY_KEY="without-redis-01")

    paying = [call(client, "POST", "/requests/999999999/payment") for _ in range(61)]

    assert paying == [(404, "NOT_FOUND")] * 60 + [(429, "RATE_LIMITED")]
    assert call(api(player), "PUT", f"/entries/{entry.pk}/picks/1", {"team": "ANT"})[0] == 200
    assert Pick.objects.filter(entry=entry).count() == 1


# --- the payment provider ---------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("fault", "state"),
    [
        ({"action": "error_before", "status": 503}, None),
        ({"action": "drop_before"}, None),
        ({"action": "delay_after", "seconds": 1.5}, PaymentState.UNKNOWN),
    ],
    ids=["503", "hangs up", "says nothing"],
)
def test_row_49_without_the_provider_nobody_has_paid(api, player, double, quick_provider, fault, state):
    double.fault(method="POST", path=SESSIONS, times=None, **fault)
    unpaid = RequestFactory(approved=True, user=player)

    answer = start(api(player), unpaid, key="without-provider")

    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "PROVIDER_ERROR")
    unpaid.refresh_from_db()
    assert (unpaid.payment_status, Entry.objects.filter(request=unpaid).exists()) == ("pending", False)
    assert not Payment.objects.filter(status=PaymentState.SUCCEEDED).exists()
    assert state is None or Payment.objects.get().status == state

    double.control("DELETE", "/faults")
    assert start(api(player), unpaid, key="without-provider-2").status_code == 201
    assert len(opened(double)) == 1


# --- mail -------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_row_49_without_mail_what_is_promised_waits_and_no_password_is_reset(api, settings, monkeypatch):
    monkeypatch.setattr(outbox, "hurry", lambda: None)
    user = UserFactory(password=PASSWORD)
    before = user.password
    working = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1

    assert call(api(), "POST", "/auth/password/reset", {"email": user.email})[0] == 204
    outbox.drain()

    waiting = OutboxMessage.objects.get(kind="mail.password_reset")
    assert (waiting.done_at, waiting.attempts) == (None, 1)
    assert User.objects.get(pk=user.pk).password == before

    settings.EMAIL_BACKEND = working
    OutboxMessage.objects.update(due_at=database_now() - timedelta(seconds=1))
    outbox.drain()

    assert [message.to for message in mail.outbox] == [[user.email]]


# --- results ----------------------------------------------------------------------------------------------------------


def test_row_49_without_the_feed_no_result_changes_and_it_is_told(pull, source, server):
    changes = GameChange.objects.count()

    outcomes = [pull(bad.status(503)).outcome, pull(bad.status(500)).outcome]

    assert outcomes == ["failed", "failed"]
    assert GameChange.objects.count() == changes
    assert (fresh(source).failures, bool(fresh(source).last_error)) == (2, True)
