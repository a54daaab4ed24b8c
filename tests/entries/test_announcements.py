"""Announcements: whom they reach, in which language, once, and how staff send and stop them."""

from datetime import timedelta

import pytest
from django.core import mail
from django.db import Error, connection, transaction
from django.test import Client

from accounts.models import Letter, LetterStatus, MessagePreferences
from accounts.services.exclusions import begin_exclusion
from accounts.services.letters import outcomes
from accounts.services.letters.sending import send_due
from config.clock import database_now
from config.errors import InvalidTransition, Malformed, TooMany
from config.models import AuditEntry
from entries.models import Announcement, Entry
from entries.services.announcements import (
    reach_of,
    send_announcement,
    stop_announcement,
    withdraw_announcement,
    write_announcement,
)
from tests.factories.accounts import UserFactory
from tests.factories.entries import RequestFactory
from tests.factories.pools import PoolFactory
from tests.support.letters import NEVER_QUIET, fates
from tests.support.playing import enter

pytestmark = pytest.mark.django_db
TEXTS = {
    "en": {"subject": "A round of its own", "body": "Dear {name},\n\nthe rounds of {pool} are drawn."},
    "de": {"subject": "Eine eigene Runde", "body": "Die Runden von {pool} sind gezogen."},
}


@pytest.fixture
def pool():
    return PoolFactory()


def player(pool, *, entries=1, **wants):
    user = UserFactory()
    MessagePreferences.objects.create(user=user, **NEVER_QUIET | wants)
    for number in range(1, entries + 1):
        enter(pool, owner=user, number=number)
    return user


def draft(pool, by, audience="players", texts=TEXTS) -> Announcement:
    return write_announcement(pool=pool, audience=audience, texts=texts, by=by)


def send(announcement, by) -> Announcement:
    return send_announcement(announcement=announcement, by=by, now=database_now())


def test_it_reaches_each_player_once_in_their_language(pool, moderator):
    ann, berta = player(pool, entries=3), player(pool, language="de")
    asking = RequestFactory(pool=pool, user=player(PoolFactory())).user
    off, gone, out = player(pool, announcements=False), player(pool), player(pool)
    outcomes.note_unreachable(gone.pk, LetterStatus.BOUNCED)
    begin_exclusion(user=out, kind="cooling_off", days=7)
    announcement = draft(pool, moderator)

    reach = reach_of(announcement)
    assert (reach.by_language, reach.left_out) == ({"en": 2, "de": 1}, {"off": 1, "unreachable": 1, "excluded": 1})
    assert send(announcement, moderator).recipients == reach.total == 3
    send_due()

    sent = {message.to[0]: message for message in mail.outbox}
    assert set(sent) == {ann.email, berta.email, asking.email}
    assert sent[ann.email].subject == f"{pool.name}: A round of its own"
    assert f"Dear {ann.display_name},\n\nthe rounds of {pool.name} are drawn." in sent[ann.email].body
    assert f"Die Runden von {pool.name} sind gezogen." in sent[berta.email].body
    assert (fates(off), fates(gone), fates(out)) == ([], [], [])
    assert AuditEntry.objects.get(action="announcement.sent").data == {"count": 3}


def test_whoever_is_still_in_can_be_told_alone(pool, moderator):
    player(pool)
    out = Entry.objects.get(user=player(pool))
    Entry.objects.filter(pk=out.pk).update(status="eliminated", eliminated_round_number=1, eliminated_code="no_pick")
    assert reach_of(draft(pool, moderator, audience="active")).total == 1


def test_it_waits_for_the_end_of_quiet_hours(pool, moderator):
    now = database_now()
    at_night = {"quiet_from": (now - timedelta(hours=1)).time(), "quiet_until": (now + timedelta(hours=2)).time()}
    asleep = player(pool, **at_night, time_zone="UTC")
    announcement = draft(pool, moderator)
    assert reach_of(announcement).later == 1
    send(announcement, moderator)
    send_due()
    assert (mail.outbox, fates(asleep)) == ([], ["queued"])
    due = Letter.objects.get().due_at - now
    assert timedelta(minutes=119) < due < timedelta(minutes=121)


def test_one_is_sent_once_and_stopped_as_far_as_it_waits(pool, moderator):
    ann, berta = player(pool), player(pool)
    announcement = send(draft(pool, moderator), moderator)
    with pytest.raises(InvalidTransition):
        send(announcement, moderator)
    with pytest.raises(InvalidTransition):
        withdraw_announcement(announcement=announcement, by=moderator)
    Letter.objects.filter(user=berta).update(due_at=database_now() + timedelta(hours=1))
    send_due()
    stop_announcement(announcement=announcement, by=moderator)
    Letter.objects.filter(user=berta).update(due_at=database_now())
    send_due()
    assert (fates(ann), fates(berta), len(mail.outbox)) == (["sent"], ["skipped"], 1)


def test_the_fourth_of_a_day_is_refused(pool, moderator):
    for _ in range(3):
        send(draft(pool, moderator), moderator)
    send(draft(PoolFactory(), moderator), moderator)
    fourth = draft(pool, moderator)
    with pytest.raises(TooMany):
        send(fourth, moderator)
    fourth.refresh_from_db()
    assert fourth.status == "draft"
    withdraw_announcement(announcement=fourth, by=moderator)


def test_what_cannot_be_written_is_refused_by_its_field(pool, moderator):
    bad = {"de": {"subject": "x", "body": "{email}"}, "tlh": TEXTS["en"]}
    with pytest.raises(Malformed) as refusal:
        write_announcement(pool=pool, audience="everybody", texts=bad, by=moderator)
    assert set(refusal.value.details) == {"subject_en", "body_de", "subject_tlh", "audience"}


def test_what_it_says_never_changes(pool, moderator):
    draft(pool, moderator)
    for statement in ("UPDATE entries_announcement SET texts = '{}'", "DELETE FROM entries_announcement"):
        with pytest.raises(Error), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


class TestBackOffice:
    address = "/admin/entries/announcement/"

    def test_write_look_send_and_follow(self, pool, moderator, finance):
        player(pool), player(pool, language="de"), player(pool, announcements=False)
        browser = Client()
        browser.force_login(moderator)
        form = {"pool": pool.pk, "audience": "players"} | {
            f"{field}_{code}": text[field] for code, text in TEXTS.items() for field in text
        }
        refused = browser.post(f"{self.address}add/", form | {"body_en": "{secret}"}).content.decode()
        assert "There is no placeholder {secret} here." in refused
        assert browser.post(f"{self.address}add/", form).status_code == 302
        row = Announcement.objects.get()
        page = browser.get(f"{self.address}{row.pk}/change/").content.decode()
        assert "Dear Ann," in page
        assert "the rounds of" in page

        chosen = {"action": "send", "_selected_action": row.pk}
        confirm = browser.post(self.address, chosen).content.decode()
        assert "2 players get it by e-mail. Deutsch 1, English 1." in confirm
        assert "1 turned announcements off." in confirm
        assert Letter.objects.count() == 0
        browser.post(self.address, chosen | {"confirmed": "1"})
        send_due()
        assert "Sent 2" in browser.get(f"{self.address}{row.pk}/change/").content.decode()

        browser.force_login(finance)
        assert browser.post(self.address, chosen | {"confirmed": "1"}).status_code == 403

    def test_withdrawing_and_stopping_say_what_they_do(self, pool, moderator):
        player(pool)
        browser = Client()
        browser.force_login(moderator)
        waiting, sent = draft(pool, moderator), send(draft(pool, moderator), moderator)
        for name, row, said in (
            ("withdraw", waiting, "1 of 1 are drafts"),
            ("stop", sent, "1 letter that waits is left out."),
        ):
            chosen = {"action": name, "_selected_action": row.pk}
            assert said in browser.post(self.address, chosen).content.decode()
            browser.post(self.address, chosen | {"confirmed": "1"})
        assert list(Announcement.objects.order_by("pk").values_list("status", flat=True)) == ["withdrawn", "stopped"]
        again = browser.post(
            self.address, {"action": "send", "_selected_action": waiting.pk, "confirmed": "1"}, follow=True
        )
        assert "1 of 1 refused" in again.content.decode()
