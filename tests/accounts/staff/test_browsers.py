"""How long a staff browser stays signed in."""

import pytest

from accounts.models import Role, User
from accounts.services.roles import assign_role
from tests.accounts.staff.conftest import Desk
from tests.factories.accounts import ModeratorFactory
from tests.support.devices import give_device

MINUTE, HOUR = 60, 60 * 60


@pytest.fixture
def inside(desk, boss) -> Desk:
    desk.enter()
    return desk


@pytest.mark.parametrize(("minutes", "is_in"), [(29, True), (31, False)])
def test_half_an_hour_without_a_click_ends_it(inside, minutes, is_in):
    inside.make_stale(minutes * MINUTE, "seen_at")

    assert inside.is_in is is_in
    assert inside.has_session is is_in


def test_a_click_counts(inside):
    for _ in range(3):
        inside.make_stale(29 * MINUTE, "seen_at")
        assert inside.is_in


def test_how_long_is_a_setting(inside, settings):
    settings.STAFF_IDLE_MINUTES = 5
    inside.make_stale(6 * MINUTE, "seen_at")

    assert not inside.is_in


@pytest.mark.parametrize(("hours", "is_in"), [(7.9, True), (8.1, False)])
def test_after_eight_hours_it_ends_however_busy(inside, hours, is_in):
    inside.make_stale(hours * HOUR, "signed_in_at")

    assert inside.is_in is is_in


def test_a_session_of_which_nobody_knows_when_it_began_ends(inside):
    session = inside.client.session
    del session["signed_in_at"]
    session.save()

    assert not inside.is_in


def test_the_page_asked_for_is_not_lost(inside):
    inside.make_stale(HOUR, "seen_at")

    answer = inside.client.get("/admin/accounts/user/")

    assert (answer.status_code, answer.url) == (302, "/admin/login/?next=/admin/accounts/user/")


def test_where_a_second_factor_is_required_a_session_without_one_ends(inside, settings):
    assert inside.is_in
    settings.STAFF_TOTP_REQUIRED = True

    assert not inside.is_in
    assert not inside.has_session


def test_one_that_began_with_a_code_goes_on(desk, boss, required):
    device = give_device(boss)
    desk.show(desk.enter(), device.code())

    assert desk.is_in


def test_a_changed_role_ends_it(new_desk, boss):
    person = ModeratorFactory()
    desk = new_desk()
    desk.client.force_login(person)
    assert desk.is_in

    assign_role(user=person, role=Role.FINANCE, by=boss, reason="moved")

    assert not desk.is_in


def test_a_click_within_a_minute_costs_no_write(inside):
    before = inside.client.session["seen_at"]
    inside.client.get("/admin/")

    assert inside.client.session["seen_at"] == before


def test_the_api_does_not_look_at_it(inside, boss):
    inside.make_stale(HOUR, "seen_at")

    assert inside.client.get("/api/v1/competitions").status_code == 200
    assert inside.has_session
    assert User.objects.filter(pk=boss.pk).exists()
