"""The table of roles says what the code does, and the database grants what the table is made of; row 40."""

import os

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from accounts.models import Role
from accounts.services.roles import assign_role
from tests.factories.accounts import AdminFactory, FinanceFactory
from tests.security import roles
from tests.security.matrix.people import bearer, caller

pytestmark = pytest.mark.django_db


def test_the_page_is_as_the_code_is():
    if os.environ.get("OUTLAST_WRITE_ROLES"):
        roles.FILE.write_text(roles.document())
    assert roles.FILE.read_text() == roles.document()


@pytest.mark.parametrize("role", Role.values)
def test_what_a_role_is_granted_is_what_its_group_has(role):
    names = Group.objects.get(name=role).permissions.values_list("content_type__app_label", "codename")
    own = {name for name in roles.grants(role) if not name.startswith(("auth.", "contenttypes.", "sessions."))}
    assert own <= {f"{app}.{codename}" for app, codename in names}
    if role != Role.ADMIN:
        assert {f"{app}.{codename}" for app, codename in names} == roles.grants(role)


def test_every_action_of_the_back_office_asks_for_a_permission():
    """Without one, whoever may look at the list might use it."""
    assert [row for row in roles.action_rows() if not row[2]] == []


def test_no_player_has_any_permission():
    assert roles.grants("player") == frozenset()


class TestRow40:
    """A role that is taken away is gone with the next request, wherever the person is signed in."""

    def test_row_40_over_the_api(self):
        person, boss = FinanceFactory(), AdminFactory()
        client = caller(bearer(person))
        assert client.get("/api/v1/payouts").status_code == 200

        assign_role(user=person, role=Role.PLAYER, by=boss)

        # The token is over; and a new one is that of a player.
        assert client.get("/api/v1/payouts").status_code == 401
        person.refresh_from_db()
        assert caller(bearer(person)).get("/api/v1/payouts").status_code == 403

    def test_row_40_in_the_back_office(self):
        person, boss = FinanceFactory(), AdminFactory()
        browser = Client()
        browser.force_login(person)
        assert browser.get("/admin/payments/payout/").status_code == 200

        assign_role(user=person, role=Role.MODERATOR, by=boss)

        assert browser.get("/admin/payments/payout/").status_code in (302, 403)
        person.refresh_from_db()
        browser.force_login(person)
        assert browser.get("/admin/payments/payout/").status_code == 403
