"""Reminders of one entry turned off, by one channel: over the API, by the link of a mail, and held by the database."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.db import IntegrityError, connection, transaction

from accounts.models import Channel, MessagePreferences
from accounts.services.letters.sending import send_due
from accounts.services.letters.unsubscribing import unsubscribe_link
from config.errors import NotFound
from config.models import AuditEntry
from entries.models import Reminder, ReminderOptOut
from entries.queries.rooms.standing import room_of
from entries.services.reminder_wishes import change_reminders, reminders_of
from entries.services.reminders import write_due_reminders
from entries.services.reminders_by_hand import remind_now, reminder_reach
from payments.timeline import timeline_of
from tests.entries.test_reminders import joined
from tests.factories.pools import PoolFactory, league
from tests.payments.test_own_data import data_of
from tests.support.calls import call
from tests.support.letters import deliver, fates, lock_in, reminded

HOUR = timedelta(hours=1)
OFF = {Channel.EMAIL: False}


@pytest.fixture
def two(db):
    """Two entries of one player without a pick, in the cup that locks in eleven hours."""
    pool = PoolFactory(name="Cup", competition=league(first_kickoff_in=timedelta(days=20)))
    first = joined(pool)
    second = joined(pool, user=first.user)
    lock_in(pool, 11 * HOUR)
    return first, second


def test_one_entry_alone_is_not_reminded_of(two):
    first, second = two
    change_reminders(entry_id=first.pk, user=first.user, changes=OFF)
    (text,) = deliver()
    assert "Cup, entry 2: Round 1" in text
    assert "Cup, entry 1" not in text
    assert reminded() == [(second.pk, 12)]
    change_reminders(entry_id=first.pk, user=first.user, changes={Channel.EMAIL: True})
    lock_in(first.pool, 1.5 * HOUR)
    deliver()
    assert reminded() == sorted([(first.pk, 2), (second.pk, 2), (second.pk, 12)])


def test_a_letter_that_waits_says_nothing_of_it_any_more(two):
    first, second = two
    write_due_reminders()
    change_reminders(entry_id=first.pk, user=first.user, changes=OFF)
    send_due()
    assert ["Cup, entry 1" in one.body for one in mail.outbox] == [False]
    lock_in(first.pool, 1.5 * HOUR)
    write_due_reminders()
    change_reminders(entry_id=second.pk, user=second.user, changes=OFF)
    send_due()
    assert fates(first.user) == ["sent", "skipped"]


def test_staff_who_remind_by_hand_do_not_reach_it(two):
    first, second = two
    change_reminders(entry_id=first.pk, user=first.user, changes=OFF)
    reach = reminder_reach(room_of(first.pool, 1))
    assert (reach.entries, reach.left_out) == (1, {"off": 1})
    assert remind_now(room=room_of(first.pool, 1), by=first.user) == 1
    assert reminded() == [(second.pk, 0)]


def test_the_database_leaves_out_a_reminder_of_it_whoever_writes_one(two):
    first, second = two
    write_due_reminders()
    change_reminders(entry_id=first.pk, user=first.user, changes=OFF)
    again = f"""INSERT INTO {Reminder._meta.db_table} (entry_id, round_id, hours, locks_at, letter_id)
                SELECT entry_id, round_id, 2, locks_at, letter_id FROM {Reminder._meta.db_table}"""
    with connection.cursor() as cursor:
        cursor.execute(again)
    assert reminded() == sorted([(first.pk, 12), (second.pk, 12), (second.pk, 2)])


@pytest.mark.parametrize(
    ("channel", "constraint"), [("email", "reminder_opt_out_once"), ("pigeon", "reminder_opt_out_channel_known")]
)
def test_the_database_knows_each_channel_once(two, channel, constraint):
    ReminderOptOut.objects.create(entry=two[0])
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        ReminderOptOut.objects.create(entry=two[0], channel=channel)


def test_the_mail_has_a_link_for_each_of_its_entries(two, client):
    first, second = two
    (text,) = deliver()
    links = dict(re.findall(r"Unsubscribe from (Cup, entry \d) alone: http://127.0.0.1:8000(\S+)", text))
    assert list(links) == ["Cup, entry 1", "Cup, entry 2"]
    assert client.get(links["Cup, entry 2"]).status_code == 200
    assert reminders_of(second) == {"email": True}
    for _ in range(2):
        page = client.post(links["Cup, entry 2"])
        assert "You get no reminders of Cup, entry 2 any more." in page.content.decode()
    assert (reminders_of(first), reminders_of(second)) == ({"email": True}, {"email": False})
    # All the others come as before.
    assert MessagePreferences.objects.get(user=first.user).reminder_hours == [48, 12, 2]
    assert AuditEntry.objects.filter(action="reminders.off").count() == 1


def test_a_link_is_good_for_own_entries_alone(two, client, stranger):
    path = unsubscribe_link(stranger.pk, "reminder", two[0].pk).removeprefix("http://127.0.0.1:8000")
    assert client.post(path).status_code == 400
    with pytest.raises(NotFound):
        change_reminders(entry_id=two[0].pk, user=stranger, changes=OFF)
    assert not ReminderOptOut.objects.exists()


def test_its_owner_turns_it_off_and_on_over_the_api(two, api, stranger, moderator):
    first, _ = two
    path = f"/entries/{first.pk}/reminders"
    owner = api(first.user)
    assert call(owner, "GET", path) == (200, {"email": True})
    assert call(owner, "PATCH", path, {"email": False}) == (200, {"email": False})
    assert call(owner, "PATCH", path, {}) == (200, {"email": False})
    assert call(api(moderator), "GET", path) == (200, {"email": False})
    assert call(api(moderator), "PATCH", path, {"email": True})[0] == 404
    assert call(api(stranger), "GET", path)[0] == 404
    assert call(owner, "PATCH", path, {"sms": False})[0] == 400
    assert list(data_of(first.user)["reminder_opt_outs"]) != []
    assert call(owner, "PATCH", path, {"email": True}) == (200, {"email": True})


def test_the_timeline_tells_of_it(two):
    first, _ = two
    change_reminders(entry_id=first.pk, user=first.user, changes=OFF)
    change_reminders(entry_id=first.pk, user=first.user, changes={Channel.EMAIL: True})
    told = [
        line for line in timeline_of(request_id=first.request_id, with_money=False).lines if "Reminders" in line.what
    ]
    assert [line.what for line in told] == ["Reminders by email turned off", "Reminders by email turned on again"]
    assert {line.actor_id for line in told} == {first.user_id}
