"""Letters in a real browser: what they say, who gets them when, what became of them, and an address that came back."""

from datetime import UTC, timedelta

import pytest

from accounts.models import Letter, MessagePreferences, MessageTemplate, UnreachableAddress
from accounts.services.letters.sending import send_due
from config.clock import database_now
from entries.models import Announcement, Entry
from tests.factories.accounts import PASSWORD, ModeratorFactory, UserFactory
from tests.factories.pools import PoolFactory
from tests.support.letters import NEVER_QUIET, deliver, lock_in
from tests.support.playing import enter

pytestmark = [pytest.mark.slow, pytest.mark.browser]
LETTERS = "/admin/accounts/letter/"


def player(pool, name, **wants):
    """With an entry of long ago that has not picked."""
    owner = UserFactory(display_name=name)
    MessagePreferences.objects.create(user=owner, time_zone="UTC", **wants)
    entry = enter(pool, owner=owner)
    Entry.objects.filter(pk=entry.pk).update(created_at=database_now() - timedelta(days=30))
    return owner


def night():
    """Quiet hours that began an hour ago and end in two."""
    now = database_now().astimezone(UTC)
    return {
        "quiet_from": (now - timedelta(hours=1)).time().replace(microsecond=0),
        "quiet_until": (now + timedelta(hours=2)).time().replace(microsecond=0),
    }


@pytest.fixture
def mo(office):
    """A moderator at the pages of letters."""
    office.enter(ModeratorFactory(password=PASSWORD, display_name="Mo"))
    return office


@pytest.fixture
def pool(transactional_db):
    return PoolFactory(name="Thanksgiving Survivor")


def confirm(page, button):
    page.get_by_role("button", name=button, exact=True).first.click()
    page.wait_for_selector("input[name=confirmed]", state="attached")


def test_a_template_is_written_put_to_use_and_said_by_the_next_reminder(mo, pool):
    page, _ = mo.page, player(pool, "Ann", **NEVER_QUIET)
    mo.open("/admin/accounts/messagetemplate/add/")
    page.select_option("select[name=kind]", "reminder")
    page.select_option("select[name=language]", "en")
    page.fill("input[name=subject]", "Pick, {name}")
    page.fill("textarea[name=body]", "Hurry, {nobody}:\n\n{entries}")
    page.click("button[name=_save]")
    page.wait_for_selector("text={nobody}")
    mo.look("template-refused")
    page.fill("textarea[name=body]", "Hurry:\n\n{entries}")
    page.click("button[name=_save]")
    row = MessageTemplate.objects.get()

    mo.open(f"/admin/accounts/messagetemplate/{row.pk}/change/")
    confirm(page, "Use")
    page.wait_for_selector("text=It holds for every letter that is sent from now on")
    mo.look("template-use")
    page.locator("form:has(input[name=confirmed]) button[type=submit]").click()
    page.wait_for_selector("text=1 of 1 in use.")

    lock_in(pool, timedelta(hours=1, minutes=30))
    (text,) = deliver()
    assert "Hurry:" in text
    assert "Thanksgiving Survivor, entry 1: Round 1 locks on" in text
    mo.open(LETTERS)
    assert page.locator("#result_list tbody tr", has_text="reminder").get_by_text("Sent").is_visible()
    mo.look("letters")


def test_an_announcement_waits_for_the_end_of_quiet_hours(mo, pool):
    page, ann, bob = mo.page, player(pool, "Ann", **NEVER_QUIET), player(pool, "Bob", **night())
    mo.open("/admin/entries/announcement/add/")
    page.select_option("select[name=pool]", label="Thanksgiving Survivor")
    page.fill("input[name=subject_en]", "A round of its own")
    page.fill("textarea[name=body_en]", "The rounds are drawn.")
    page.click("button[name=_save]")
    mo.open(f"/admin/entries/announcement/{Announcement.objects.get().pk}/change/")
    confirm(page, "Send")
    page.wait_for_selector("text=1 of them after their quiet hours.")
    mo.look("announcement-quiet")
    page.locator("form:has(input[name=confirmed]) button[type=submit]").click()
    page.wait_for_selector("text=1 of 1 sent.")

    send_due()
    assert dict(Letter.objects.values_list("user", "status")) == {ann.pk: "sent", bob.pk: "queued"}
    assert Letter.objects.get(user=bob).due_at > database_now() + timedelta(hours=1)
    # What waits is found by its state, and what its reader wishes stands in their preferences.
    mo.open(f"{LETTERS}?status__exact=queued")
    assert page.locator("#result_list tbody tr:has(a)").count() == 1
    assert page.get_by_text("Bob").first.is_visible()
    mo.open("/admin/accounts/messagepreferences/")
    mo.look("message-preferences")
    # The last is still in time to be stopped.
    mo.open(f"/admin/entries/announcement/{Announcement.objects.get().pk}/change/")
    confirm(page, "Stop")
    page.wait_for_selector("text=1 letter that waits is left out.")
    page.locator("form:has(input[name=confirmed]) button[type=submit]").click()
    page.wait_for_selector("text=1 of 1")
    assert Letter.objects.get(user=bob).status == "skipped"


def test_an_address_that_came_back_is_written_to_again(mo, pool):
    page, ann = mo.page, player(pool, "Ann", **NEVER_QUIET)
    UnreachableAddress.objects.create(user=ann, because="bounced")
    mo.open("/admin/accounts/unreachableaddress/")
    page.check("#result_list tbody input[name=_selected_action]")
    page.select_option("select[name=action]", label="Write to them again")
    page.locator("button[name=index]").click()
    page.wait_for_selector("text=1 address gets reminders and announcements again")
    mo.look("unreachable")
    page.locator("form:has(input[name=confirmed]) button[type=submit]").click()
    page.wait_for_selector("text=1 of 1 are written to again.")
    assert not UnreachableAddress.objects.exists()
