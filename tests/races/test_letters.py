"""Many workers at once: nobody is reminded twice, no letter is sent twice, and what a killed one held is sent."""

import threading
import time
from collections import Counter
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection, transaction

from accounts.models import Letter, MessagePreferences
from accounts.services.letters.sending import claim, send_due
from config.clock import database_now
from config.local.benches.bigpools import ENTRIES, REQUESTS, USERS
from entries.models import Entry, Reminder
from entries.queries.rooms.standing import room_of
from entries.services.picks import save_pick
from entries.services.reminders import write_due_reminders
from entries.services.reminders_by_hand import remind_now, reminder_reach
from pools.models import Team
from tests.factories.accounts import ModeratorFactory, UserFactory
from tests.factories.entries import EntryFactory
from tests.factories.pools import PoolFactory, kick_off, league
from tests.support.letters import NEVER_QUIET, lock_in
from tests.support.playing import enter
from tests.support.threads import again_and_again, run_together, successes, until_somebody_waits
from tests.support.weekend import game, weekly_pool

pytestmark = pytest.mark.django_db(transaction=True)

WORKERS = 4
MANY = 100_000


def pool_of(players: int, *, entries_each: int = 1):
    """A pool that locks in eleven hours, in which nobody has picked and nobody sleeps."""
    pool = PoolFactory(competition=league(first_kickoff_in=timedelta(days=20)))
    for _ in range(players):
        owner = UserFactory()
        MessagePreferences.objects.create(user=owner, **NEVER_QUIET)
        for number in range(1, entries_each + 1):
            enter(pool, owner=owner, number=number)
    Entry.objects.update(created_at=database_now() - timedelta(days=30))
    lock_in(pool, timedelta(hours=11))
    return pool


def sent_to() -> Counter:
    """How many letters each reader got."""
    return Counter(message.to[0] for message in mail.outbox)


@again_and_again
def test_two_who_write_at_once_remind_nobody_twice():
    pool = pool_of(5, entries_each=3)

    written = successes(run_together([write_due_reminders] * WORKERS))

    assert sum(written) == 15
    assert Reminder.objects.filter(entry__pool=pool).count() == 15
    assert Letter.objects.filter(user__entries__pool=pool).distinct().count() == 5
    Letter.objects.filter(status="queued").update(status="skipped")


@again_and_again
def test_two_who_send_at_once_send_each_letter_once():
    mail.outbox.clear()
    pool_of(60)
    write_due_reminders()

    run_together([send_due] * WORKERS)

    assert (set(sent_to().values()), len(sent_to())) == ({1}, 60)
    assert set(Letter.objects.values_list("status", flat=True)) == {"sent"}


def test_a_worker_that_is_killed_half_way_leaves_the_rest_to_the_next():
    pool_of(30)
    write_due_reminders()
    held = claim(limit=20)
    send_due()
    assert len(sent_to()) == 10
    # Its lease is over.
    Letter.objects.filter(pk__in=[letter.pk for letter in held]).update(due_at=database_now())
    send_due()
    assert (set(sent_to().values()), len(sent_to())) == ({1}, 30)


@again_and_again
def test_who_picks_while_letters_are_sent_gets_one_or_none_and_keeps_the_pick():
    mail.outbox.clear()
    pool = pool_of(8)
    write_due_reminders()
    entries = list(Entry.objects.filter(pool=pool).select_related("user"))
    team = Team.objects.filter(competition=pool.competition).first()

    def pick_all():
        for entry in entries:
            save_pick(entry_id=entry.pk, user=entry.user, round_number=1, teams=[team.code])

    assert all(outcome.worked for outcome in run_together([pick_all, send_due, send_due]))
    assert set(sent_to().values()) <= {1}
    assert all(entry.picks.count() == 1 for entry in entries)


def test_a_hundred_thousand_entries_are_reminded_by_one_statement(django_assert_num_queries):
    """No row passes through Python, so memory does not grow with them."""
    pool = PoolFactory(competition=league(first_kickoff_in=timedelta(days=20), time_zone="UTC"))
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        for statement in (USERS, REQUESTS, ENTRIES):
            cursor.execute(statement, {"entries": MANY, "fee": 100})
        cursor.execute("UPDATE accounts_user SET email = 'p' || id || '@example.test'")
        cursor.execute("UPDATE entries_entry SET created_at = now() - interval '30 days'")
        cursor.execute(
            "INSERT INTO accounts_messagepreferences (user_id, reminder_hours, announcements, time_zone, language)"
            " SELECT id, '{48,12,2}', true, '', '' FROM accounts_user"
        )
        cursor.execute("SET session_replication_role = origin")
        cursor.execute("ANALYZE")
    lock_in(pool, timedelta(hours=11))
    with django_assert_num_queries(5):
        assert write_due_reminders() == MANY
    assert (Reminder.objects.count(), Letter.objects.count()) == (MANY, MANY)
    assert write_due_reminders() == 0


def test_a_reminder_by_hand_that_waits_keeps_no_player_from_a_pick(db):
    """A game of a round that is played for days has just begun: what reveals it holds the whole round for a moment."""
    pool, by, written = weekly_pool(), ModeratorFactory(), threading.Event()
    entry = EntryFactory(in_pool=pool)
    kick_off(game("ANT"))
    room = room_of(pool, 1)
    kick_off(game("CAT"))
    begun = threading.Event()

    def write():
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("LOCK TABLE entries_reminder IN SHARE MODE")
            begun.set()
            written.wait(20)

    def remind():
        begun.wait(20)
        return remind_now(room=room, by=by)

    def choose():
        try:
            begun.wait(20)
            until_somebody_waits()
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '2s'")
            return save_pick(entry_id=entry.pk, user=entry.user, round_number=1, teams=["ELK"]).changed
        finally:
            written.set()

    outcomes = run_together([write, remind, choose])
    assert [outcome.error for outcome in outcomes] == [None] * 3
    assert outcomes[2].value


def test_whom_a_reminder_reaches_may_take_longer_than_a_page(db):
    """Of a million entries it is counted for seconds: staff wait for it."""
    pool, is_held = pool_of(1), threading.Event()
    room = room_of(pool, 1)

    def hold():
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("LOCK TABLE entries_reminder IN ACCESS EXCLUSIVE MODE")
            is_held.set()
            until_somebody_waits()
            time.sleep(0.5)

    def look():
        is_held.wait(20)
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = '250ms'")
        return reminder_reach(room).entries

    assert [outcome.error or outcome.value for outcome in run_together([hold, look])] == [None, 1]
