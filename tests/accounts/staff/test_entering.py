"""Staff sign in to the back office in two steps."""

import pytest
from django.core import signing
from django.test import Client

from accounts.models import Totp, User
from accounts.services.passwords import change_password
from config.models import AuditEntry
from tests.accounts.staff.conftest import LOGIN, hidden, note_of, text_of
from tests.factories.accounts import PASSWORD, ModeratorFactory
from tests.support.devices import Device, give_device

NEW = "a wholly different phrase"


def test_after_the_password_the_code_is_asked_for_and_nobody_is_in(desk, boss, device):
    page = desk.enter()

    assert (page.status_code, "One-time code" in text_of(page)) == (200, True)
    assert (desk.has_session, desk.is_in) == (False, False)


def test_the_code_lets_them_in(desk, boss, device):
    page = desk.show(desk.enter(), device.code())

    assert (page.status_code, page.url) == (302, "/admin/")
    assert desk.is_in


def test_it_goes_on_where_it_was_to_go(desk, boss, device):
    first = desk.client.post(f"{LOGIN}?next=/admin/accounts/user/", {"username": boss.email, "password": PASSWORD})

    page = desk.show(first, device.code(), next=hidden(first, "next"))

    assert page.url == "/admin/accounts/user/"


@pytest.mark.parametrize("evil", ["https://evil.test/", "//evil.test/", "https:evil.test", "javascript:alert(1)"])
def test_nobody_is_sent_elsewhere(desk, boss, device, evil):
    first = desk.client.post(f"{LOGIN}?next={evil}", {"username": boss.email, "password": PASSWORD, "next": evil})
    page = desk.show(first, device.code(), next=evil)

    assert page.url == "/admin/"
    assert desk.client.get(f"{LOGIN}?next={evil}").url == "/admin/"


def test_without_a_second_factor_the_password_is_enough_where_none_is_required(desk, boss):
    assert desk.enter().status_code == 302
    assert desk.is_in


def test_ten_wrong_codes_and_not_even_the_right_one_works(new_desk, boss, device):
    for _ in range(10):
        desk = new_desk()
        assert "wrong" in text_of(desk.show(desk.enter(), device.wrong()))

    desk = new_desk()
    page = desk.show(desk.enter(), device.code())

    assert (page.status_code, "Too many calls" in text_of(page)) == (200, True)
    assert not desk.has_session


def test_after_a_wrong_code_the_right_one_still_works(desk, boss, device):
    page = desk.show(desk.enter(), device.wrong())

    assert desk.show(page, device.code()).status_code == 302


def test_the_failures_are_told_to_the_audit(desk, boss, device):
    desk.enter(password="wrong")
    desk.show(desk.enter(), device.wrong())

    failed = AuditEntry.objects.filter(action="sign_in.failed").order_by("id")
    assert [(entry.person_id, entry.data["why"]) for entry in failed] == [(boss.pk, "password"), (boss.pk, "code")]


@pytest.mark.parametrize("note", ["", "nonsense", "of another purpose"])
def test_a_made_up_note_leads_back_to_the_password(desk, boss, device, note):
    if note == "of another purpose":
        note = signing.dumps({"u": boss.pk, "m": "x"})
    page = desk.client.post(LOGIN, {"half_way": note, "code": device.code()})

    assert 'name="password"' in text_of(page)
    assert not desk.has_session


def test_the_note_of_one_is_no_good_with_the_code_of_another(desk, boss, device):
    other = ModeratorFactory(email="other@example.test", password=PASSWORD)
    theirs = give_device(other)

    page = desk.show(desk.enter(), theirs.code())

    assert "wrong" in text_of(page)
    assert not desk.has_session


def test_a_password_that_was_changed_meanwhile_ends_the_way_in(desk, boss, device):
    page = desk.enter()
    change_password(user=boss, current=PASSWORD, new=NEW)

    again = desk.show(page, device.code())

    assert "Sign in again" in text_of(again)
    assert not desk.has_session


def test_a_note_is_good_for_a_quarter_of_an_hour(desk, boss, device, monkeypatch):
    page = desk.enter()
    monkeypatch.setattr("accounts.services.browsers.HALF_WAY_SECONDS", -1)

    assert "took too long" in text_of(desk.show(page, device.code()))
    assert not desk.has_session


def test_a_deactivated_person_stays_outside_half_way(desk, boss, device):
    page = desk.enter()
    User.objects.filter(pk=boss.pk).update(is_active=False)

    desk.show(page, device.code())

    assert not desk.has_session


class TestSetUpOnTheWay:
    def device_of(self, boss) -> Device:
        return Device(Totp.objects.get(user=boss).secret)

    def test_staff_without_a_device_see_its_secret_and_are_not_in(self, desk, boss, required):
        page = desk.enter()

        assert "<svg" in text_of(page)
        assert Totp.objects.get().secret in text_of(page)
        assert (desk.has_session, desk.is_in) == (False, False)

    def test_the_first_code_lets_them_in_and_shows_ten_recovery_codes(self, desk, boss, required):
        page = desk.enter()
        shown = desk.show(page, self.device_of(boss).code())

        assert text_of(shown).count("<li>") == 10
        assert shown["Cache-Control"].count("no-store") == 1
        assert desk.is_in

    def test_a_wrong_code_shows_the_same_secret_again(self, desk, boss, required):
        page = desk.enter()
        device = self.device_of(boss)
        again = desk.show(page, device.wrong())

        assert device.secret in text_of(again)
        assert not desk.has_session
        assert desk.show(again, device.code()).status_code == 200
        assert desk.is_in

    def test_the_next_time_the_code_is_asked_for(self, desk, new_desk, boss, required):
        page = desk.enter()
        device = self.device_of(boss)
        desk.show(page, device.code())

        other = new_desk()
        assert "One-time code" in text_of(other.enter())
        assert not other.has_session

    def test_nobody_is_shown_a_secret_that_somebody_else_was_shown(self, desk, new_desk, boss, required):
        """Whoever knows the password as well must not end with a copy of the owner's device."""
        thief = new_desk()
        theirs = thief.enter()
        seen = self.device_of(boss)

        page = desk.enter()

        assert seen.secret not in text_of(page)
        assert "Sign in again" in text_of(thief.show(theirs, seen.code()))
        desk.show(page, self.device_of(boss).code())
        assert desk.is_in

    def test_a_secret_drawn_elsewhere_meanwhile_is_not_shown_after_a_wrong_code(self, desk, new_desk, boss, required):
        page = desk.enter()
        device = self.device_of(boss)
        new_desk().enter()

        again = text_of(desk.show(page, device.wrong()))

        assert "Sign in again" in again
        assert self.device_of(boss).secret not in again

    def test_a_password_alone_puts_no_other_device_in_place_of_one(self, desk, new_desk, boss, required):
        """Two browsers are half way; the owner's is faster."""
        thief = new_desk()
        theirs = thief.enter()
        page = desk.enter()
        device = self.device_of(boss)
        desk.show(page, device.code())

        answer = thief.show(theirs, device.beside(0))

        assert not thief.has_session
        assert "Sign in again" in text_of(answer)
        assert Totp.objects.confirmed().get().secret == device.secret

    def test_somebody_who_has_one_is_not_shown_a_secret(self, desk, boss, device, required):
        assert device.secret not in text_of(desk.enter())

    def test_players_are_told_what_strangers_are_told(self, desk, user, required):
        assert "not that of a staff account" in text_of(desk.enter(user.email))


class TestLinksInMails:
    """The cookie is strict: a browser that comes from another site does not bring it."""

    def test_a_link_from_elsewhere_goes_over_a_page_of_ours(self, desk, boss):
        page = desk.client.get(f"{LOGIN}?next=/admin/accounts/user/", HTTP_SEC_FETCH_SITE="cross-site")

        assert '<meta http-equiv="refresh" content="0; url=/admin/accounts/user/">' in text_of(page)

    def test_from_there_on_the_password_is_asked_for(self, desk, boss):
        page = desk.client.get(f"{LOGIN}?next=/admin/accounts/user/", HTTP_SEC_FETCH_SITE="same-origin")

        assert 'name="password"' in text_of(page)

    def test_the_cookie_is_strict_and_not_for_scripts(self, desk, boss, settings):
        desk.enter()
        cookie = desk.client.cookies[settings.SESSION_COOKIE_NAME]

        assert (settings.SESSION_COOKIE_NAME, cookie["samesite"], cookie["httponly"]) == (
            "outlast_staff", "Strict", True,
        )  # fmt: skip


def test_the_forms_are_guarded_against_other_sites(boss):
    client = Client(enforce_csrf_checks=True)

    assert client.post(LOGIN, {"username": boss.email, "password": PASSWORD}).status_code == 403


def test_the_pages_are_kept_by_no_cache(desk, boss, device):
    for page in (desk.client.get(LOGIN), desk.enter()):
        assert "no-store" in page["Cache-Control"]


def test_the_note_tells_nothing_of_the_password(desk, boss, device):
    note = note_of(desk.enter())

    assert boss.password not in note
    assert PASSWORD not in note
