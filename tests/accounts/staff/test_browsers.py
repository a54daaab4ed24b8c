"""How long a staff browser stays signed in."""

from ipaddress import ip_network

import pytest

from accounts.models import Role, User
from accounts.services.roles import assign_role
from config.models import AuditEntry
from tests.accounts.staff.conftest import Desk
from tests.factories.accounts import ModeratorFactory
from tests.support.devices import give_device

MINUTE, HOUR = 60, 60 * 60


@pytest.fixture
def inside(desk, boss) -> Desk:
    desk.enter()
    return desk


def told(action) -> list[tuple]:
    return list(AuditEntry.objects.filter(action=action).values_list("actor_id", "person_id"))


def test_the_audit_has_when_a_browser_was_signed_in_and_out(inside, boss):
    inside.client.post("/admin/logout/")

    assert told("browser.signed_in") == told("browser.signed_out") == [(boss.pk, boss.pk)]
    assert not inside.has_session


def test_and_when_its_time_was_over(inside, boss):
    inside.make_stale(HOUR, "seen_at")
    inside.client.get("/admin/")

    assert told("browser.signed_out") == [(boss.pk, boss.pk)]


def test_a_wrong_password_signs_nothing_in(desk, boss):
    desk.enter(password="wrong")

    assert told("browser.signed_in") == []


@pytest.mark.parametrize(("minutes", "is_in"), [(29, True), (31, False)])
def test_half_an_hour_without_a_click_ends_it(inside, minutes, is_in):
    inside.make_stale(minutes * MINUTE, "seen_at")

    assert inside.is_in is is_in
    assert inside.has_session is is_in


def test_a_click_counts(inside):
    for _ in range(3):
        inside.make_stale(29 * MINUTE, "seen_at")
        assert inside.is_in


def test_what_a_page_fetches_by_itself_is_no_click(inside):
    """As the bar of an export that is being written, on a screen that nobody sits at."""
    inside.make_stale(29 * MINUTE, "seen_at")
    inside.client.get("/admin/", HTTP_SEC_FETCH_DEST="empty")
    inside.make_stale(2 * MINUTE, "seen_at")

    assert inside.client.get("/admin/", HTTP_SEC_FETCH_DEST="empty").status_code == 302
    assert not inside.has_session


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


class TestNetworks:
    @pytest.fixture
    def office(self, settings):
        settings.STAFF_NETWORKS = [ip_network("198.51.100.0/24"), ip_network("2001:db8:7::/48")]

    @pytest.mark.parametrize(
        ("address", "status"),
        [
            ("198.51.100.9", 302), ("2001:db8:7:1::5", 302), ("::ffff:198.51.100.9", 302),
            ("198.51.101.9", 404), ("2001:db8:8::1", 404), ("unix:", 404), ("", 404),
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("page", ["/admin/", "/admin/accounts/user/"])
    def test_elsewhere_there_is_no_back_office(self, office, new_desk, db, page, address, status):
        desk = new_desk("192.0.2.1")
        desk.client.defaults["REMOTE_ADDR"] = address

        assert desk.client.get(page).status_code == status

    def test_not_even_for_who_is_signed_in(self, inside, office):
        assert inside.client.get("/admin/").status_code == 404
        assert inside.client.post("/admin/login/", {}).status_code == 404

    def test_a_header_that_no_proxy_of_ours_wrote_opens_nothing(self, office, desk):
        answer = desk.client.get("/admin/", HTTP_X_FORWARDED_FOR="198.51.100.9")

        assert answer.status_code == 404

    def test_players_are_reached_from_everywhere(self, office, desk):
        assert desk.client.get("/api/v1/competitions").status_code == 200
