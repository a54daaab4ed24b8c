"""Reminding by hand those of one pool who lack a pick: whom it reaches, whom not, and once."""

from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection
from django.urls import reverse

from accounts.models import Letter, MessagePreferences, User
from accounts.services.letters.sending import send_due
from config.clock import database_now
from config.errors import DomainError
from config.models import AuditEntry
from entries.models import Entry, Reminder
from entries.queries.rooms.standing import room_of
from entries.services.reminders import write_due_reminders
from entries.services.reminders_by_hand import remind_now, reminder_reach
from tests.factories.accounts import UserFactory
from tests.factories.pools import PoolFactory, league, lock_round
from tests.support.letters import NEVER_QUIET, lock_in, reminded
from tests.support.playing import enter

pytestmark = pytest.mark.django_db


@pytest.fixture
def pool():
    """Locks in ten days: no reminder goes out by itself."""
    pool = PoolFactory(competition=league(first_kickoff_in=timedelta(days=20)), name="Cup", status="running")
    lock_in(pool, timedelta(days=10))
    return pool


def joined(pool, *codes, **wants):
    owner = UserFactory()
    MessagePreferences.objects.create(user=owner, **{**NEVER_QUIET, **wants})
    return enter(pool, *codes, owner=owner)


def in_the_night(*, ends_in):
    """Quiet hours that began an hour ago, by the clock of the database."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (n - interval '1 hour')::time(0), (n + %s)::time(0)"
            " FROM (SELECT clock_timestamp() AT TIME ZONE 'UTC' AS n) now",
            [ends_in],
        )
        began, ends = cursor.fetchone()
    return {"quiet_from": began, "quiet_until": ends, "time_zone": "UTC"}


def test_everybody_without_a_pick_gets_one_letter_and_only_one(pool, moderator):
    ann, _picked, off = joined(pool), joined(pool, "ANT"), joined(pool, reminder_hours=[])
    room = room_of(pool, 1)
    reach = reminder_reach(room)
    assert (reach.entries, reach.players, reach.later, reach.left_out) == (1, 1, 0, {"off": 1})
    assert remind_now(room=room, by=moderator) == 1
    send_due()
    assert [message.to for message in mail.outbox] == [[ann.user.email]]
    assert "Cup, entry 1: Round 1 locks on" in mail.outbox[0].body
    told = AuditEntry.objects.get(action="reminder.sent")
    assert (told.actor_id, told.data) == (moderator.pk, {"count": 1})
    # Again, and of nobody who was reminded.
    assert reminder_reach(room).left_out == {"off": 1, "reminded": 1}
    assert remind_now(room=room, by=moderator) == 0
    assert [row.entry_id for row in Reminder.objects.all()] == [ann.pk]
    assert off.reminders.count() == 0


def test_who_sleeps_is_reminded_in_the_morning_or_not_at_all(pool, moderator):
    sleeper = joined(pool, **in_the_night(ends_in=timedelta(hours=3)))
    room = room_of(pool, 1)
    assert reminder_reach(room).later == 1
    remind_now(room=room, by=moderator)
    send_due()
    assert mail.outbox == []
    letter = Letter.objects.get(user=sleeper.user)
    assert timedelta(hours=2) < letter.due_at - Reminder.objects.get().at < timedelta(hours=4)
    lock_in(pool, timedelta(hours=3, minutes=30))
    joined(pool, **in_the_night(ends_in=timedelta(hours=3)))
    assert reminder_reach(room_of(pool, 1)).left_out == {"asleep": 1, "reminded": 1}


def test_what_goes_out_by_itself_keeps_its_distance(pool, moderator):
    ann = joined(pool)
    Entry.objects.update(created_at=database_now() - timedelta(days=30))
    lock_in(pool, timedelta(hours=12, minutes=5))
    Reminder.objects.all().delete()
    write_due_reminders()
    assert reminded() == [(ann.pk, 48)]
    Reminder.objects.update(at=database_now() - timedelta(hours=35))
    assert remind_now(room=room_of(pool, 1), by=moderator) == 1
    lock_in(pool, timedelta(hours=11, minutes=55))
    assert (write_due_reminders(), reminded()) == (0, [(ann.pk, 0), (ann.pk, 48)])
    # Two hours after it, the next stage is due.
    Reminder.objects.filter(hours=0).update(at=database_now() - timedelta(hours=2))
    Letter.objects.update(due_at=database_now() - timedelta(hours=2))
    assert write_due_reminders() == 1
    assert reminded() == [(ann.pk, 0), (ann.pk, 12), (ann.pk, 48)]


@pytest.mark.slow
def test_a_letter_that_waits_for_the_morning_comes_alone(pool, moderator):
    joined(pool, **in_the_night(ends_in=timedelta(hours=3)))
    Entry.objects.update(created_at=database_now() - timedelta(days=30))
    lock_in(pool, timedelta(hours=14))
    assert remind_now(room=room_of(pool, 1), by=moderator) == 1
    # In the morning, hours after it was written, it is sent, and what was due meanwhile is not.
    Reminder.objects.update(at=database_now() - timedelta(hours=9))
    MessagePreferences.objects.update(**NEVER_QUIET)
    lock_in(pool, timedelta(hours=11))
    assert write_due_reminders() == 0


@pytest.mark.slow
def test_a_lock_that_moves_by_minutes_is_no_other_lock(pool, moderator):
    joined(pool)
    remind_now(room=room_of(pool, 1), by=moderator)
    Reminder.objects.update(at=database_now() - timedelta(hours=3))
    lock_in(pool, timedelta(days=10, minutes=20))
    assert reminder_reach(room_of(pool, 1)).left_out == {"reminded": 1}
    lock_in(pool, timedelta(days=11))
    assert reminder_reach(room_of(pool, 1)).left_out == {}


def test_nobody_is_reminded_of_what_cannot_be_picked(pool, moderator):
    joined(pool)
    room, games = room_of(pool, 1), pool.competition.games.filter(round__number=1)
    # Every game is off, long before the lock; and then the lock.
    games.update(status="postponed")
    for _ in range(2):
        with pytest.raises(DomainError, match="No pick for this round can be made"):
            remind_now(room=room, by=moderator)
        games.update(status="scheduled")
        lock_round(pool.competition.rounds.get(number=1))
    assert not Letter.objects.exists()


def test_the_page_asks_before_with_numbers(pool, client, moderator, finance):
    joined(pool)
    address = reverse("admin:entries_room_remind", args=[pool.pk, 1])
    client.force_login(User.objects.get(pk=finance.pk))
    assert client.get(address).status_code == 403
    client.force_login(User.objects.get(pk=moderator.pk))
    page = client.get(address)
    assert "1 entry without a pick is reminded. That is 1 letter." in page.content.decode()
    # Another one came in since: the page is shown again, and nothing is sent.
    joined(pool)
    again = client.post(address, {"confirmed": "1"})
    assert "2 entries without a pick are reminded. That is 2 letters." in again.content.decode()
    assert not Letter.objects.exists()
    assert client.post(address, {"confirmed": "2"}).status_code == 302
    assert Letter.objects.count() == 2
    lock_round(pool.competition.rounds.get(number=1))
    assert client.post(address, {"confirmed": "0"}).status_code == 302
    assert Letter.objects.count() == 2
