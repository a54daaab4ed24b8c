"""Whatever is forgotten is looked for by beat, goes a bounded number at a time, is counted, and stands in the docs."""

import inspect
import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.sessions.models import Session as BrowserSession
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from accounts.models import ApiKey, EmailChange, Letter, Session, SignInAttempt, Totp, WebhookDelivery
from accounts.services.documents import upload
from accounts.services.webhooks.endpoints import make_endpoint
from config.celery import BEAT, app
from config.clock import database_now
from config.connections import file_store
from config.housekeeping import FORGOTTEN, RUNS, chores, forgets
from config.models import IdempotencyKey, OutboxMessage, RateLimitCounter
from entries.models import Rehearsal, Reminder
from pools.models import EventKind, PoolEvent
from tests.factories.accounts import FinanceFactory, UserFactory
from tests.factories.entries import EntryFactory
from tests.factories.pools import CompetitionFactory, PoolFactory
from tests.support.exporting import store_in, written
from tests.support.papers import picture

PAGE = Path(__file__).parents[2] / "docs" / "housekeeping.md"
WRITE = "OUTLAST_WRITE_HOUSEKEEPING"
app.loader.import_default_modules()
CHORES = chores()
LONG_AGO = timedelta(days=20 * 365)

HEAD = """# Housekeeping

What is over is forgotten by itself. Each line is a sweep that beat runs; it takes away at most so much at a time, so it
holds nobody up, and comes back for the rest. `outlast_housekeeping_runs_total{what}` counts the times that it looked,
`outlast_housekeeping_forgotten_total{what}` what it took. A sweep that runs twice at once, or not for a week, does no
harm. `OUTLAST_WRITE_HOUSEKEEPING=1 manage.py test tests/config/test_housekeeping.py` writes this page.

| What | Goes | At most | Looked for |
| --- | --- | ---: | --- |
"""


def often(seconds: float) -> str:
    return f"every {round(seconds / 60)} min" if seconds < 3600 else "every hour"


def page() -> str:
    rows = [
        f"| {chore.what} | {chore.after} | {chore.at_most:,} | {often(schedules()[chore.task])} |\n" for chore in CHORES
    ]
    return HEAD + "".join(rows)


def schedules() -> dict[str, float]:
    return {row["task"]: row["schedule"] for row in BEAT.values()}


def old_refresh_token(number):
    now = database_now()
    OutstandingToken.objects.create(user=UserFactory(), jti=f"old-{number}", token="-", expires_at=now - LONG_AGO)


def old_session(number):
    Session.objects.create(user=UserFactory(), current_jti=f"old-{number}", refreshed_at=database_now() - LONG_AGO)


def old_setup(number):
    Totp.objects.create(user=UserFactory(), secret="-", created_at=database_now() - LONG_AGO)


def old_browser(number):
    BrowserSession.objects.create(session_key=f"old-{number}", expire_date=database_now() - LONG_AGO)


def old_change_of_address(number):
    EmailChange.objects.create(
        user=UserFactory(), old_email="a@example.test", new_email="b@example.test", asked_at=database_now() - LONG_AGO
    )


def unverified_account(number):
    UserFactory(email_verified_at=None)


def old_key(number):
    IdempotencyKey.objects.create(
        user=UserFactory(), method="POST", route="/", key=f"old-{number}", status_code=200,
        expires_at=database_now() - LONG_AGO,
    )  # fmt: skip


def old_api_key(number):
    ApiKey.objects.create(
        user=UserFactory(), name="old", prefix=f"{'a' * 11}{'abc'[number]}", digest="0" * 64, scopes=["pools:read"],
        token_version=1, expires_at=database_now(),
    )  # fmt: skip


def old_attempt(number):
    SignInAttempt.objects.create(
        provider="local", return_to="/", challenge="", state_digest=f"{number}" * 64, browser_digest="0" * 64, kept="",
        expires_at=database_now() + timedelta(minutes=1),
    )  # fmt: skip


def old_window(number):
    RateLimitCounter.objects.create(key=f"old-{number}", ends_at=database_now() - LONG_AGO)


def done_message(number):
    OutboxMessage.objects.create(kind="test", key=f"old-{number}", done_at=database_now() - LONG_AGO)


def old_event(number):
    event = PoolEvent.objects.create(pool=PoolFactory(), kind=EventKind.ROUND_REVEALED, data={})
    with connection.cursor() as cursor:
        # The guard keeps an event as it was told, and when.
        cursor.execute("SET session_replication_role = replica")
        PoolEvent.objects.filter(pk=event.pk).update(number=1, at=database_now() - LONG_AGO)
        cursor.execute("SET session_replication_role = origin")


def document(number):
    file = SimpleUploadedFile("pass.png", picture("PNG"))
    upload(owner=UserFactory(), kind="address", name=file.name, content=file.read(), now=database_now())


def export(number):
    written(FinanceFactory(), "payments")


def old_delivery(number):
    past = database_now() - LONG_AGO
    endpoint = make_endpoint(user=UserFactory(), url="https://hooks.example.org/", events=["pool.ended"])
    WebhookDelivery.objects.create(
        endpoint=endpoint, event_id=f"evt_{number}", type="pool.ended", data={}, status="failed", created_at=past,
        ended_at=past,
    )  # fmt: skip


def old_letter(number):
    past = database_now() - LONG_AGO
    return Letter.objects.create(
        user=UserFactory(), kind="reminder", subject_id=1, key=f"old-{number}", status="sent", created_at=past
    )


def old_rehearsal(number):
    Rehearsal.objects.create(
        competition=CompetitionFactory(), first_round_number=1, last_round_number=1, rule_sets=[], entries=1,
        seed=number, by=UserFactory(),
    )  # fmt: skip


def old_reminder(number):
    entry = EntryFactory()
    Reminder.objects.create(
        entry=entry, round=entry.pool.competition.rounds.first(), hours=2, letter=old_letter(number),
        locks_at=database_now(), at=database_now() - LONG_AGO,
    )  # fmt: skip


MAKERS = {
    "API keys": old_api_key,
    "browser sessions of staff": old_browser,
    "changes of address": old_change_of_address,
    "documents": document,
    "done outbox messages": done_message,
    "events of pools": old_event,
    "files of exports": export,
    "idempotency keys": old_key,
    "letters": old_letter,
    "refresh tokens": old_refresh_token,
    "rehearsals": old_rehearsal,
    "reminders": old_reminder,
    "sessions": old_session,
    "set-ups of second factors that nobody confirmed": old_setup,
    "sign-ins through a provider": old_attempt,
    "unverified accounts": unverified_account,
    "webhook deliveries": old_delivery,
    "windows of rate limits": old_window,
}


def of(figure, chore) -> float:
    return figure.labels(chore.what)._value.get()


@pytest.fixture(autouse=True)
def stores(settings, tmp_path):
    store_in(settings, tmp_path / "reports")
    settings.STORAGES = {**settings.STORAGES, "private": file_store("file:", home=tmp_path, folder="private")}


def test_each_is_tried_below():
    """One that is new needs rows to forget here."""
    assert [chore.what for chore in CHORES] == sorted(MAKERS)


@pytest.mark.parametrize("chore", CHORES, ids=lambda chore: chore.what)
def test_beat_looks_for_it(chore, db):
    before = of(RUNS, chore)

    app.tasks[chore.task]()

    assert of(RUNS, chore) == before + 1
    assert 0 < schedules()[chore.task] <= 3600


def test_whatever_beat_forgets_is_declared():
    tasks = [
        task for task in schedules() if task.rpartition(".")[2].startswith(("forget", "delete", "remove", "clean"))
    ]

    assert sorted(tasks) == sorted({chore.task for chore in CHORES})


@pytest.mark.parametrize("chore", CHORES, ids=lambda chore: chore.what)
def test_it_goes_a_bounded_number_at_a_time_and_is_counted(chore, db):
    for number in range(3):
        MAKERS[chore.what](number)
    given = {"now": database_now() + LONG_AGO} if "now" in inspect.signature(chore.sweep).parameters else {}
    before = of(FORGOTTEN, chore)

    took = [chore.sweep(**given, limit=2) for _ in range(3)]

    assert took == [2, 1, 0]
    assert of(FORGOTTEN, chore) == before + 3
    assert 0 < chore.at_most <= 10_000


def test_a_sweep_without_a_bound_is_refused():
    def everything() -> int:
        return 0

    with pytest.raises(ValueError, match="needs a limit"):
        forgets("everything", "at once", task="nobody.runs_it")(everything)


def test_two_sweeps_of_one_thing_are_refused():
    def again(*, limit: int = 1) -> int:
        return limit

    with pytest.raises(ValueError, match="already"):
        forgets(CHORES[0].what, "at once", task="nobody.runs_it")(again)


def test_the_page_says_what_is_so():
    if os.environ.get(WRITE):
        PAGE.write_text(page())
    assert PAGE.read_text() == page()
