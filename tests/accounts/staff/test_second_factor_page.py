"""Staff look after their own second factor at /admin/second-factor/."""

import pytest

from accounts.models import Totp
from accounts.services.sessions import sign_in
from tests.accounts.staff.conftest import Desk, text_of
from tests.factories.accounts import PASSWORD
from tests.support.devices import Device, give_device

PAGE = "/admin/second-factor/"


@pytest.fixture
def inside(desk, boss) -> Desk:
    """Signed in by password alone."""
    desk.enter()
    return desk


@pytest.fixture
def past(new_desk, boss):
    """Signed in with a code of a device."""
    desk, device = new_desk(), give_device(boss)
    assert desk.show(desk.enter(), device.code()).status_code == 302
    return desk, device


def test_it_says_how_things_stand(inside):
    assert "your password alone signs you in" in text_of(inside.client.get(PAGE))


def test_it_is_found_beside_the_password(inside):
    assert f'href="{PAGE}"' in text_of(inside.client.get("/admin/"))


def test_a_device_is_set_up_and_this_browser_stays_in(inside, boss, new_desk):
    other = new_desk()
    other.enter()
    sign_in(email=boss.email, password=PASSWORD)

    page = inside.client.post(PAGE, {"what": "begin"})
    device = Device(Totp.objects.get().secret)
    assert device.secret in text_of(page)
    done = inside.client.post(PAGE, {"what": "confirm", "code": device.code()})

    assert text_of(done).count("<li>") >= 10
    assert (inside.is_in, other.is_in) == (True, False)
    assert "no-store" in done["Cache-Control"]


def test_a_wrong_code_shows_the_same_secret_again(inside):
    inside.client.post(PAGE, {"what": "begin"})
    device = Device(Totp.objects.get().secret)

    page = inside.client.post(PAGE, {"what": "confirm", "code": device.wrong()})

    assert device.secret in text_of(page)
    assert "not the code" in text_of(page)
    assert not Totp.objects.confirmed().exists()


def test_the_device_is_replaced(past):
    desk, old = past
    desk.client.post(PAGE, {"what": "begin"})
    new = Device(Totp.objects.pending().get().secret)
    desk.client.post(PAGE, {"what": "confirm", "code": new.code()})

    assert Totp.objects.get().secret == new.secret != old.secret
    assert desk.is_in


def test_it_is_turned_off_where_that_is_allowed(past):
    desk, _ = past
    page = desk.client.post(PAGE, {"what": "off"}, follow=True)

    assert "password alone" in text_of(page)
    assert not Totp.objects.exists()
    assert desk.is_in


def test_it_stays_on_where_it_is_required(past, settings):
    desk, _ = past
    settings.STAFF_TOTP_REQUIRED = True
    page = desk.client.post(PAGE, {"what": "off"}, follow=True)

    assert "Staff need a second factor" in text_of(page)
    assert Totp.objects.confirmed().exists()


def test_new_recovery_codes_are_shown_once(past):
    desk, _ = past
    page = desk.client.post(PAGE, {"what": "codes"})

    assert text_of(page).count("<li>") >= 10
    assert "are shown this once" not in text_of(desk.client.get(PAGE))


@pytest.mark.parametrize("what", ["begin", "confirm", "codes", "off"])
def test_each_change_needs_a_fresh_sign_in(past, what):
    desk, device = past
    desk.make_stale()

    page = desk.client.post(PAGE, {"what": what, "code": "123456"})

    assert "Is it you?" in text_of(page)
    assert Totp.objects.get().secret == device.secret


def test_it_is_for_staff(desk, user):
    desk.client.force_login(user)

    assert desk.client.get(PAGE).status_code == 302
