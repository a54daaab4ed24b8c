"""B. Opening a session: clicked twice, never answered, killed half-way, refused for the moment."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import IntegrityError, connection

from config.clock import database_now
from entries.models import Entry
from payments.models import Payment, PaymentState
from payments.providers.stripe.client import KEYS_MISUSED
from payments.services import sessions
from payments.services.adoption import adopt_window
from payments.services.provider_state import Source
from tests.support.payments import SESSIONS, code_of, opened, start, started
from tests.support.running import ROOT, wait_for
from tests.support.stories import (
    IN_THE_POT,
    about_money,
    agreed_books,
    catch_up,
    payments_of,
    receipts_of,
    standing,
    sweep,
)
from tests.support.threads import run_together

pytestmark = pytest.mark.django_db(transaction=True)

CREATING = {"method": "POST", "path": SESSIONS}
# A player's click in a process of its own, which can be killed.
CLICK = """
import sys, django
django.setup()
from accounts.models import User
from payments.services.checkout import start_payment
start_payment(request_id=int(sys.argv[1]), user=User.objects.get(pk=int(sys.argv[2])))
"""


def keys_used(double):
    """The idempotency keys of all calls for a session, oldest first."""
    asked = double.control("GET", "/requests")["requests"]
    return [one["idempotency_key"] for one in asked if (one["method"], one["path"]) == ("POST", SESSIONS)]


def buys_one_place(double, request, mailoutbox):
    """The one session that there is gets paid: one receipt, one entry, one mail, and the books say so."""
    (session,) = [session for session in opened(double) if session["status"] == "open"]
    assert double.pay(session["url"])[0] == 200
    catch_up(double)
    assert standing(request) == ("approved", "completed")
    assert payments_of(request)[-1] == PaymentState.SUCCEEDED
    assert receipts_of(request) == [("allocated", "")]
    assert Entry.objects.get().request == request
    assert about_money(mailoutbox, request.user) == ["Receipt"]
    assert agreed_books(double) == IN_THE_POT


def never_answered(api, request, double):
    """A click that times out although the session was opened."""
    double.fault(action="delay_after", **CREATING, seconds=1.5, times=None)
    answer = start(api(request.user), request)
    double.control("DELETE", "/faults")
    assert code_of(answer) == (502, "PROVIDER_ERROR")
    assert Payment.objects.get().status == PaymentState.UNKNOWN
    assert len(opened(double)) == 1


def environment_of_a_worker(double):
    """Of a process that works on the database of this test, with this double."""
    at = connection.settings_dict
    return os.environ | {
        "DATABASE_URL": f"postgres://{at['USER']}:{at['PASSWORD']}@{at['HOST']}:{at['PORT']}/{at['NAME']}",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "OUTLAST_PROCESS": "worker",
        "STRIPE_API_BASE": double.base_url,
        "STRIPE_SECRET_KEY": settings.STRIPE_SECRET_KEY,
    }


@contextmanager
def no_updates(table):
    """The database takes new rows there, and fails at every change: a full disk, say, or a server that goes down."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION public.fails() RETURNS trigger LANGUAGE plpgsql"
            " AS $$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = 'disk_full'; END $$"
        )
        cursor.execute(f"CREATE TRIGGER fails BEFORE UPDATE ON {table} EXECUTE FUNCTION public.fails()")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION public.fails CASCADE")


def test_21_a_double_click_in_two_tabs_opens_one_session(api, player, owing, double, mailoutbox):
    clicks = [lambda tab=tab: start(api(player), owing, key=tab) for tab in ("one tab", "another tab")]

    answers = [outcome.value for outcome in run_together(clicks)]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert len({answer.json()["data"]["checkout_url"] for answer in answers}) == 1
    assert (Payment.objects.count(), len(opened(double))) == (1, 1)
    with pytest.raises(IntegrityError, match="payment_one_live_per_request"):
        Payment.objects.create(request=owing, provider="stripe", amount_cents=5000, currency="usd")
    buys_one_place(double, owing, mailoutbox)


def test_21_of_two_sessions_that_there_are_all_the_same_the_one_without_a_row_is_ended(
    api, player, owing, double, mailoutbox
):
    forgotten = Payment(
        request=owing,
        provider="stripe",
        amount_cents=5000,
        currency="usd",
        expires_at=sessions.session_end(database_now(), None),
    )
    older = sessions.provider_named("stripe").create_session(sessions.order_of(forgotten))
    payment = started(api(player), owing)

    list(
        adopt_window(
            provider="stripe", since=database_now() - timedelta(hours=1), until=database_now(), source=Source.RECONCILE
        )
    )

    assert double.pay(older.url)[0] == 410
    assert payments_of(owing) == ["open", "cancelled"]
    payment.refresh_from_db()
    assert payment.status == PaymentState.OPEN
    (session,) = [session for session in opened(double) if session["status"] == "open"]
    assert session["id"] == payment.provider_reference


def test_22_stripe_times_out_on_create_and_the_same_session_is_found(
    api, player, owing, double, quick_provider, mailoutbox
):
    never_answered(api, owing, double)
    (session,) = opened(double)

    again = start(api(player), owing)

    assert again.status_code == 201
    assert again.json()["data"]["checkout_url"] == session["url"]
    assert len(opened(double)) == 1
    assert len(set(keys_used(double))) == 1
    buys_one_place(double, owing, mailoutbox)


def test_23_a_worker_killed_between_stripes_success_and_our_commit_leaves_no_second_session(
    api, player, owing, double, mailoutbox, travel
):
    double.fault(action="delay_after", **CREATING, seconds=60)
    process = subprocess.Popen(
        [sys.executable, "-c", CLICK, str(owing.pk), str(player.pk)], cwd=ROOT, env=environment_of_a_worker(double)
    )
    wait_for(lambda: opened(double), seconds=60)
    process.send_signal(signal.SIGKILL)
    assert process.wait(10) == -signal.SIGKILL
    double.control("DELETE", "/faults")
    assert payments_of(owing) == ["intent"]
    travel(minutes=3)

    sweep(double)

    payment = Payment.objects.get()
    (session,) = opened(double)
    assert (payment.status, payment.provider_reference, payment.checkout_url) == ("open", session["id"], session["url"])
    # Calls of other tests may still be told of: a double that was reset goes on answering them.
    assert {key for key in keys_used(double) if str(payment.ref) in key} == {payment.idempotency_key}
    assert start(api(player), owing).json()["data"]["checkout_url"] == session["url"]
    buys_one_place(double, owing, mailoutbox)


def test_24_when_our_commit_fails_after_stripes_success_the_intent_is_there_and_adopts_the_session(
    api, player, owing, double, mailoutbox, travel
):
    client = api(player)
    client.raise_request_exception = False
    with no_updates("payments_payment"):
        answer = start(client, owing)
    assert answer.status_code >= 500
    assert payments_of(owing) == ["intent"]
    assert len(opened(double)) == 1
    travel(minutes=3)

    sweep(double)

    (session,) = opened(double)
    assert Payment.objects.get().provider_reference == session["id"]
    buys_one_place(double, owing, mailoutbox)


def test_25_after_a_day_the_key_is_worth_nothing_and_what_it_opened_is_looked_up_before_anything_new(
    api, player, owing, double, quick_provider, mailoutbox, travel
):
    never_answered(api, owing, double)
    (lost,) = opened(double)
    before = len(double.control("GET", "/requests")["requests"])
    travel(hours=25)

    answer = start(api(player), owing)

    assert answer.status_code == 201
    asked = double.control("GET", "/requests")["requests"][before:]
    calls = [(one["method"], one["path"]) for one in asked if one["path"].startswith(SESSIONS)]
    assert calls == [("GET", SESSIONS), ("POST", SESSIONS)]
    old, new = Payment.objects.order_by("id")
    assert (old.status, old.provider_reference) == ("cancelled", lost["id"])
    assert keys_used(double)[-1] == new.idempotency_key != old.idempotency_key
    assert [session["status"] for session in opened(double)] == ["expired", "open"]
    buys_one_place(double, owing, mailoutbox)


def test_25_what_was_paid_under_a_forgotten_key_is_booked_and_nothing_new_is_opened(
    api, player, owing, double, quick_provider, travel
):
    never_answered(api, owing, double)
    double.pay(opened(double)[0]["url"])
    travel(hours=25)

    assert code_of(start(api(player), owing)) == (409, "ALREADY_PAID")

    assert len(opened(double)) == 1
    catch_up(double)
    assert receipts_of(owing) == [("allocated", "")]
    assert agreed_books(double) == IN_THE_POT


def test_26_a_key_used_with_other_parameters_is_counted_as_our_mistake_and_a_new_key_is_taken(
    api, player, owing, double, mailoutbox
):
    # The first call is answered with a fault, which stays under its key, and nobody can say what it did.
    double.fault(action="error_before", **CREATING)
    double.fault(action="error_before", method="GET", path=SESSIONS, times=3)
    assert code_of(start(api(player), owing)) == (502, "PROVIDER_ERROR")
    double.control("DELETE", "/faults")
    owing.pool.name = "Another name"
    owing.pool.save(update_fields=["name"])
    before = KEYS_MISUSED._value.get()

    answers = [start(api(player), owing) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [502, 201]
    assert KEYS_MISUSED._value.get() == before + 1
    payment = Payment.objects.get()
    assert payment.key_number == 2
    assert keys_used(double)[-2:] == [f"checkout:{payment.ref}:1", f"checkout:{payment.ref}:2"]
    buys_one_place(double, owing, mailoutbox)


@pytest.mark.parametrize("action", ["rate_limit", "lock_timeout"])
def test_27_a_busy_stripe_is_asked_again_later_and_later_under_the_same_key(
    api, player, owing, double, mailoutbox, monkeypatch, action
):
    pauses = []
    monkeypatch.setattr(sessions.time, "sleep", pauses.append)
    double.fault(action=action, **CREATING, times=2)

    assert start(api(player), owing).status_code == 201

    assert len(keys_used(double)) == 3
    assert set(keys_used(double)) == {Payment.objects.get().idempotency_key}
    assert len(pauses) == 2
    for pause, longest in zip(pauses, sessions.PAUSES, strict=True):
        assert longest / 2 <= pause <= longest
    buys_one_place(double, owing, mailoutbox)


def test_27_a_stripe_that_stays_busy_leaves_the_intent_and_its_key_for_later(api, player, owing, double, mailoutbox):
    double.fault(action="rate_limit", **CREATING, times=None)

    answer = start(api(player), owing)

    assert code_of(answer) == (502, "PROVIDER_ERROR")
    assert answer.json()["error"]["details"] == {"retry_after": 2}
    # Refused before anything was done: nothing is unknown.
    assert payments_of(owing) == ["intent"]
    double.control("DELETE", "/faults")
    assert start(api(player), owing).status_code == 201
    assert len(set(keys_used(double))) == 1
    buys_one_place(double, owing, mailoutbox)
