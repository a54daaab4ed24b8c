"""Reminding who has no pick: whom, when, once, and of nothing that is a secret."""

from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection

from accounts.models import Letter, MessagePreferences
from accounts.services.letters.sending import send_due
from config.clock import database_now
from entries.models import Entry
from entries.services.reminders import forget_old_reminders, write_due_reminders
from pools.models import GameStatus, PoolStatus, Rules
from tests.factories.accounts import UserFactory
from tests.factories.entries import pick
from tests.factories.pools import PoolFactory, league
from tests.support.letters import NEVER_QUIET, deliver, fates, lock_in, reminded
from tests.support.playing import enter, void

HOUR = timedelta(hours=1)
LONG_AGO = timedelta(days=30)


def joined(pool, *codes, user=None, quiet=NEVER_QUIET, **wants) -> Entry:
    """An entry of long ago, whose owner is never quiet unless the test says so."""
    owner = user or UserFactory()
    if user is None and quiet is not None:
        MessagePreferences.objects.create(user=owner, **quiet, **wants)
    number = Entry.objects.filter(pool=pool, user=owner).count() + 1
    entry = enter(pool, *codes, owner=owner, number=number)
    Entry.objects.filter(pk=entry.pk).update(created_at=database_now() - LONG_AGO)
    return entry


@pytest.fixture
def pool(db):
    return PoolFactory(competition=league(first_kickoff_in=timedelta(days=20)))


def test_each_stage_reminds_once_and_the_last_one_is_two_hours_before(pool):
    entry = joined(pool)
    lock_in(pool, 50 * HOUR)
    assert deliver() == []
    told = []
    for ahead, stage in ((47, 48), (11, 12), (1.5, 2)):
        lock_in(pool, ahead * HOUR)
        (text,) = deliver()
        assert f"{pool.name}, entry 1: Round 1 locks on " in text
        told.append((entry.pk, stage))
        assert (deliver(), reminded()) == ([], sorted(told))
    assert fates(entry.user) == ["sent"] * 3


def test_one_letter_names_all_entries_of_its_reader_that_lack_a_pick(pool):
    other = PoolFactory(competition=pool.competition, name="Another pool")
    ann = joined(pool).user
    joined(pool, user=ann)
    joined(pool, "ANT", user=ann)
    joined(other, user=ann)
    lock_in(pool, 11 * HOUR)

    (text,) = deliver()

    assert [line for line in text.splitlines() if line.startswith("•")] == [
        line for line in text.splitlines() if " locks on " in line
    ]
    assert text.count("• ") == 3
    assert f"{pool.name}, entry 3" not in text
    assert "Another pool, entry 1" in text
    assert "ANT" not in text
    assert len(reminded()) == 3


def test_whoever_picked_is_out_void_suspended_or_came_in_just_now_gets_none(pool):
    joined(pool, "ANT")
    void(joined(pool))
    out = joined(pool)
    Entry.objects.filter(pk=out.pk).update(status="eliminated", eliminated_round_number=1, eliminated_code="no_pick")
    joined(pool, quiet=NEVER_QUIET, reminder_hours=[48, 2])
    closed = joined(pool).user
    closed.is_active = False
    closed.save(update_fields=["is_active"])
    joined(pool, user=UserFactory(email="imported@nobody.invalid"))
    enter(pool)
    lock_in(pool, 11 * HOUR)
    type(pool).objects.filter(pk=pool.pk).update(suspended_may_pick=False)
    Entry.objects.filter(pk=joined(pool).pk).update(is_suspended=True)

    assert (deliver(), reminded()) == ([], [])

    type(pool).objects.filter(pk=pool.pk).update(suspended_may_pick=True)
    assert len(deliver()) == 1


def test_who_picks_before_the_letter_is_sent_gets_none(pool):
    entry, late = joined(pool), joined(pool)
    lock_in(pool, 11 * HOUR)
    write_due_reminders()
    pick(entry, 1, "ANT")

    send_due()

    assert [message.to for message in mail.outbox] == [[late.user.email]]
    assert (fates(entry.user), fates(late.user)) == (["skipped"], ["sent"])


@pytest.mark.parametrize("status", [PoolStatus.DRAFT, PoolStatus.CANCELLED])
def test_a_pool_that_is_not_in_play_reminds_nobody(db, status):
    pool = PoolFactory(competition=league(first_kickoff_in=timedelta(days=20)))
    joined(pool)
    lock_in(pool, 11 * HOUR)
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('outlast.correction', 'a test', true)")
    type(pool).objects.filter(pk=pool.pk).update(status=status)
    assert deliver() == []


def test_a_round_whose_games_are_all_off_reminds_nobody(pool):
    joined(pool)
    lock_in(pool, 11 * HOUR)
    pool.competition.games.filter(round__number=1).update(status=GameStatus.POSTPONED)
    assert deliver() == []


def test_of_two_picks_one_is_too_few(db):
    pool = PoolFactory(competition=league(first_kickoff_in=timedelta(days=20)), rules={"picks_per_round": 2})
    joined(pool, "ANT")
    lock_in(pool, 11 * HOUR)
    assert len(deliver()) == 1


def test_where_each_game_locks_for_itself_the_last_game_counts(db):
    pool = PoolFactory(competition=league(first_kickoff_in=timedelta(days=20)), rules={"lock": "game"})
    entry = joined(pool)
    lock_in(pool, 1 * HOUR)
    last = pool.competition.games.filter(round__number=1).last()
    last.kickoff_at = database_now() + 40 * HOUR
    last.save(update_fields=["kickoff_at"])
    assert (len(deliver()), reminded()) == (1, [(entry.pk, 48)])


def test_a_lock_that_moves_by_minutes_is_no_news_and_one_that_moves_by_hours_is(pool):
    joined(pool)
    lock_in(pool, 11 * HOUR)
    assert len(deliver()) == 1
    lock_in(pool, 11.5 * HOUR)
    assert deliver() == []
    lock_in(pool, 5 * HOUR)
    (text,) = deliver()
    assert f"{database_now() + 5 * HOUR:%Y-%m-}" in text
    assert deliver() == []


def test_a_letter_is_worth_nothing_once_the_round_has_locked(pool):
    entry = joined(pool)
    lock_in(pool, 1 * HOUR)
    write_due_reminders()
    Letter.objects.update(expires_at=database_now() - HOUR)
    send_due()
    assert (mail.outbox, fates(entry.user)) == ([], ["skipped"])


def test_an_entry_that_comes_in_between_two_sweeps_is_worth_another_letter(pool):
    ann = joined(pool).user
    lock_in(pool, 11 * HOUR)
    assert len(deliver()) == 1
    joined(pool, user=ann)
    (text,) = deliver()
    assert (text.count("• "), "entry 2" in text) == (1, True)


def test_statements_do_not_grow_with_entries(pool, django_assert_num_queries):
    lock_in(pool, 11 * HOUR)
    for count in (1, 2):
        for _ in range(count):
            joined(pool)
        # Savepoint, lock, insert; the rounds before them.
        with django_assert_num_queries(5):
            assert write_due_reminders() == count


def test_reminders_are_forgotten_in_the_end(pool):
    joined(pool)
    lock_in(pool, 11 * HOUR)
    write_due_reminders()
    assert forget_old_reminders(now=database_now() + timedelta(days=59)) == 0
    assert forget_old_reminders(now=database_now() + timedelta(days=61)) == 1


class TestQuietHours:
    """By wall-clock times around now: the instant of the stage lies in them, and so does its end or beginning."""

    def quiet(self, pool, *, since, until, ahead, zone="UTC"):
        now = database_now()
        wants = {"quiet_from": (now + since).time(), "quiet_until": (now + until).time()}
        entry = joined(pool, quiet=wants, time_zone=zone)
        lock_in(pool, ahead)
        return entry

    def test_a_reminder_waits_for_their_end(self, pool):
        entry = self.quiet(pool, since=-3 * HOUR, until=2 * HOUR, ahead=11 * HOUR)
        assert deliver() == []
        MessagePreferences.objects.filter(user=entry.user).update(quiet_until=(database_now() - HOUR / 60).time())
        assert (len(deliver()), reminded()) == (1, [(entry.pk, 12)])

    def test_it_comes_before_them_where_their_end_is_too_late(self, pool):
        """Two hours before lies in a night that ends half an hour before the lock."""
        entry = self.quiet(pool, since=HOUR / 12, until=9.5 * HOUR, ahead=10 * HOUR)
        assert (len(deliver()), reminded()) == (1, [(entry.pk, 2)])

    def test_they_are_those_of_the_readers_own_clock(self, pool):
        entry = self.quiet(pool, since=-3 * HOUR, until=2 * HOUR, ahead=11 * HOUR, zone="Asia/Tokyo")
        assert (len(deliver()), reminded()) == (1, [(entry.pk, 12)])

    def test_who_never_said_anything_is_left_alone_at_night(self, pool):
        zone = type(pool.competition).objects.filter(pk=pool.competition_id)
        now = database_now()
        # A zone of whole hours in which it is between two and three in the morning: the stage was an hour ago.
        shift = (2 - now.hour) % 24
        name = f"Etc/GMT{-shift:+d}" if shift <= 12 else f"Etc/GMT{24 - shift:+d}"
        zone.update(time_zone=name)
        joined(pool, quiet=None)
        lock_in(pool, 11 * HOUR)
        assert deliver() == []


def test_amended_rules_count(pool):
    """The version that governs the round says how many picks it asks for."""
    joined(pool, "ANT")
    lock_in(pool, 11 * HOUR)
    assert deliver() == []
    staff = [UserFactory(role="moderator", is_staff=True) for _ in range(2)]
    Rules.objects.create(
        pool=pool, version=2, effective_round_number=1, picks_per_round=2, created_by=staff[0], confirmed_by=staff[1]
    )
    assert len(deliver()) == 1
