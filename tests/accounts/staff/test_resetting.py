"""Taking away the second factor of somebody who lost it: by an admin, or from the machine."""

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Session, Totp, UserChange
from accounts.services.sessions import sign_in
from tests.accounts.admin.conftest import Browser, messages_of
from tests.factories.accounts import PASSWORD, AdminFactory, ModeratorFactory
from tests.support.devices import give_device


@pytest.fixture
def lost(db):
    person = ModeratorFactory(password=PASSWORD)
    device = give_device(person)
    sign_in(email=person.email, password=PASSWORD, otp=device.code())
    return person


def test_an_admin_resets_it_and_says_why(lost, admin_user):
    page = Browser(admin_user).act("reset_second_factor", lost, reason="phone in the river, seen in person")

    assert messages_of(page) == ["1 of 1 without a second factor."]
    assert not Totp.objects.exists()
    assert not Session.objects.live().exists()
    change = UserChange.objects.get(field="second_factor", to_value="off")
    assert (change.actor_id, change.reason) == (admin_user.pk, "phone in the river, seen in person")


def test_the_page_says_what_will_happen(lost, admin_user):
    page = Browser(admin_user).act("reset_second_factor", lost).content.decode()

    assert "1 of 1 has a second factor. It is taken away, and all their sessions end at once." in page
    assert "Say why." in Browser(admin_user).act("reset_second_factor", lost, reason="").content.decode()
    assert Totp.objects.exists()


def test_where_there_is_none_it_is_refused(admin_user, user):
    page = Browser(admin_user).act("reset_second_factor", user, reason="asked")

    assert messages_of(page) == ["1 of 1 refused: A second factor that is off cannot become off."]


def test_nobody_resets_their_own(admin_user):
    give_device(admin_user)
    page = Browser(admin_user).act("reset_second_factor", admin_user, reason="asked")

    assert messages_of(page) == ["1 of 1 refused: Nobody may do this to their own account."]


@pytest.mark.parametrize("role", ["moderator", "finance"])
def test_others_do_not_see_the_action(lost, request, role):
    browser = Browser(request.getfixturevalue(role))

    assert "Reset second factor" not in browser.client.get("/admin/accounts/user/").content.decode()
    browser.act("reset_second_factor", lost, reason="asked")
    assert Totp.objects.exists()


def test_the_page_of_a_person_says_since_when_there_is_one(lost, admin_user, user):
    client = Browser(admin_user).client

    assert "since 2026-01-01 00:00" in client.get(f"/admin/accounts/user/{lost.pk}/change/").content.decode()
    assert "since 2026" not in client.get(f"/admin/accounts/user/{user.pk}/change/").content.decode()


class TestCommand:
    def test_it_resets_the_last_admin_too(self, db, capsys):
        boss = AdminFactory(email="boss@example.test")
        give_device(boss)

        call_command("reset_second_factor", "BOSS@example.test", reason="both phones stolen")

        assert not Totp.objects.exists()
        assert UserChange.objects.get(field="second_factor").reason == "both phones stolen"
        assert "is gone" in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("email", "reason", "said"),
        [
            ("nobody@example.test", "asked", "Nobody has this address."),
            ("boss@example.test", " ", "Say why."),
            ("boss@example.test", "asked", "cannot become off"),
        ],
    )
    def test_it_says_what_is_in_the_way(self, db, email, reason, said):
        AdminFactory(email="boss@example.test")

        with pytest.raises(CommandError, match=said):
            call_command("reset_second_factor", email, reason=reason)
