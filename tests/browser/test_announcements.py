"""An announcement in a real browser, from the empty form to what became of it; and the page that turns letters off."""

import pytest

from accounts.models import MessagePreferences
from accounts.services.letters.templates import write_template
from accounts.services.letters.unsubscribing import unsubscribe_link
from entries.models import Announcement
from tests.factories.accounts import PASSWORD, ModeratorFactory
from tests.factories.entries import EntryFactory
from tests.factories.pools import PoolFactory

pytestmark = [pytest.mark.slow, pytest.mark.browser]


def test_it_is_written_looked_at_and_sent(office):
    pool = PoolFactory(name="Thanksgiving Survivor")
    players = [EntryFactory(in_pool=pool).user for _ in range(3)]
    MessagePreferences.objects.create(user=players[0], announcements=False)
    office.enter(ModeratorFactory(password=PASSWORD))
    office.open("/admin/entries/announcement/add/")
    page = office.page
    page.select_option("select[name=pool]", label="Thanksgiving Survivor")
    page.fill("input[name=subject_en]", "A round of its own")
    page.fill("textarea[name=body_en]", "{name}, the rounds of {pool} are drawn.")
    office.look("announcement-write")
    page.click("button[name=_continue], button[name=_save]")
    row = Announcement.objects.get()

    office.open(f"/admin/entries/announcement/{row.pk}/change/")
    assert page.get_by_text("Ann, the rounds of Thanksgiving Survivor are drawn.").is_visible()
    office.look("announcement-draft")
    page.get_by_role("button", name="Send", exact=True).click()
    page.wait_for_selector("text=2 players get it by e-mail.")
    office.look("announcement-confirm")
    page.get_by_role("button", name="Send", exact=True).click()
    page.wait_for_selector("text=1 of 1 sent.")

    office.open(f"/admin/entries/announcement/{row.pk}/change/")
    assert page.get_by_text("Queued 2").is_visible()
    office.look("announcement-sent")


def test_a_template_is_shown_as_its_reader_sees_it(office):
    moderator = ModeratorFactory(password=PASSWORD)
    row = write_template(
        kind="reminder", language="en", subject="Pick, {name}", body="Missing:\n\n{entries}", by=moderator
    )
    office.enter(moderator)
    office.open("/admin/accounts/messagetemplate/add/")
    office.look("template-write")
    office.open(f"/admin/accounts/messagetemplate/{row.pk}/change/")
    assert office.page.get_by_text("Pick, Ann").first.is_visible()
    office.look("template")


def test_letters_are_turned_off_without_signing_in(office):
    player = EntryFactory().user
    office.open(unsubscribe_link(player.pk, "reminder").removeprefix("http://127.0.0.1:8000"))
    office.look("unsubscribe")
    office.page.get_by_role("button").click()
    office.page.wait_for_selector("[role=status]")
    assert MessagePreferences.objects.get(user=player).reminder_hours == []
    office.look("unsubscribed")
