"""What players say they want to be written about, by the API and by the link in each letter."""

import re

import pytest
from django.core import mail
from django.test import Client

from accounts.models import MessagePreferences
from accounts.services.letters.unsubscribing import unsubscribe_link
from config.models import AuditEntry
from tests.support.calls import call

DEFAULTS = {
    "reminder_hours": [48, 12, 2], "announcements": True, "quiet_from": "22:00", "quiet_until": "08:00",
    "time_zone": "", "language": "", "reachable": True,
}  # fmt: skip


def test_who_never_said_anything_is_told_what_holds(api, player):
    assert call(api(player), "GET", "/me/messages") == (200, DEFAULTS)
    assert not MessagePreferences.objects.exists()


def test_what_is_given_changes_and_nothing_else(api, player, stranger):
    wants = {"reminder_hours": [2, 12], "quiet_from": None, "quiet_until": None, "time_zone": "Europe/Berlin"}
    now = DEFAULTS | wants | {"reminder_hours": [12, 2]}
    assert call(api(player), "PATCH", "/me/messages", wants) == (200, now)
    assert call(api(player), "PATCH", "/me/messages", {"language": "de"}) == (200, now | {"language": "de"})
    assert call(api(player), "GET", "/me/messages") == (200, now | {"language": "de"})
    assert call(api(stranger), "GET", "/me/messages") == (200, DEFAULTS)
    said = AuditEntry.objects.filter(action="messages.changed", person_id=player.pk).order_by("id").last()
    assert said.data == {"fields": ["language"]}


@pytest.mark.parametrize(
    "wish",
    [
        {"reminder_hours": [3]},
        {"quiet_from": None},
        {"quiet_from": "08:00"},
        {"quiet_from": "08:01"},
        {"quiet_from": "noon"},
        {"time_zone": "Mars/Olympus"},
        {"time_zone": "posix/../etc"},
        {"language": "tlh"},
        {"reachable": True},
    ],
)
def test_what_cannot_be_is_refused(api, player, wish):
    assert call(api(player), "PATCH", "/me/messages", wish) == (400, "VALIDATION_ERROR")
    assert call(api(player), "GET", "/me/messages") == (200, DEFAULTS)


class TestLink:
    def path(self, player, kind="reminder"):
        return unsubscribe_link(player.pk, kind).removeprefix("http://127.0.0.1:8000")

    def test_a_mail_program_turns_it_off_with_one_call(self, player):
        """RFC 8058: a form with this one field, no cookie, no referrer, no token of a form."""
        strict = Client(enforce_csrf_checks=True)
        for _ in range(2):
            answer = strict.post(self.path(player), {"List-Unsubscribe": "One-Click"})
            assert answer.status_code == 200
        wants = MessagePreferences.objects.get(user=player)
        assert (wants.reminder_hours, wants.announcements) == ([], True)
        assert AuditEntry.objects.filter(action="messages.changed").count() == 1

    def test_looking_at_the_page_changes_nothing_and_tells_nothing(self, client, player):
        """Scanners open every link."""
        page = client.get(self.path(player)).content.decode()
        assert re.search(r'<form method="post">', page)
        assert player.email not in page
        assert not MessagePreferences.objects.exists()

    def test_a_link_that_is_not_ours_is_refused(self, client, player):
        for path in ("/unsubscribe", "/unsubscribe?token=x", self.path(player)[:-1], self.path(player, "unheard")):
            assert client.post(path).status_code == 400
        player.is_active = False
        player.save(update_fields=["is_active"])
        assert client.post(self.path(player)).status_code == 400
        assert not mail.outbox
