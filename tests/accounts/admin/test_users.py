"""Users in the admin: to look at, and to act upon through the services."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.test import Client
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from accounts.admin.users import UserAdmin
from accounts.models import Role, Session, SessionEnd, User, UserChange
from accounts.services.closing import close_account
from accounts.services.sessions import sign_in
from config.clock import database_now
from config.models import OutboxMessage
from tests.accounts.admin.conftest import messages_of
from tests.factories.accounts import PASSWORD, AdminFactory, FinanceFactory, ModeratorFactory, UserFactory

LIST = "/admin/accounts/user/"


@pytest.fixture
def boss(browser, admin_user):
    return browser(admin_user)


def page_of(user) -> str:
    return f"{LIST}{user.pk}/change/"


@pytest.mark.parametrize("make", [ModeratorFactory, FinanceFactory, AdminFactory])
def test_staff_see_people(db, browser, user, make):
    client = browser(make()).client

    assert user.email in client.get(LIST).content.decode()
    assert user.email in client.get(page_of(user)).content.decode()


def test_players_and_strangers_see_no_admin(user, browser):
    for client in (browser(user).client, Client()):
        response = client.get(LIST)
        assert (response.status_code, response.url.startswith("/admin/login/")) == (302, True)


def test_people_are_found_by_address_and_by_name(boss):
    UserFactory(email="hopper@example.test", display_name="Grace")
    UserFactory(email="lovelace@example.test", display_name="Ada")

    by_address = boss.client.get(LIST, {"q": "HOPPER@exam"}).content.decode()
    by_name = boss.client.get(LIST, {"q": "ada"}).content.decode()

    assert ("hopper@" in by_address, "lovelace@" in by_address) == (True, False)
    assert ("hopper@" in by_name, "lovelace@" in by_name) == (False, True)


def test_the_list_costs_the_same_for_one_and_for_three(boss, django_assert_num_queries):
    counts = []
    for number in (1, 2):
        for _ in range(number):
            UserFactory()
        with django_assert_num_queries(20, exact=False) as captured:
            assert boss.client.get(LIST).status_code == 200
        counts.append(len(captured))

    assert counts[0] == counts[1]


def test_no_page_shows_the_hash_of_a_password(boss, user):
    assert user.password not in boss.client.get(page_of(user)).content.decode()
    assert "argon2" not in boss.client.get(page_of(user)).content.decode()


def test_nothing_is_edited_by_hand(boss, user):
    before = User.objects.filter(pk=user.pk).values().get()
    form = {"email": "x@example.test", "role": "admin", "is_superuser": "on", "groups": [1], "_save": "Save"}

    assert boss.client.post(page_of(user), form).status_code == 403
    assert User.objects.filter(pk=user.pk).values().get() == before


@pytest.mark.parametrize("path", [f"{LIST}add/", f"{LIST}1/delete/", "/admin/accounts/userchange/add/"])
def test_nobody_is_added_or_deleted_by_hand(boss, path):
    assert boss.client.get(path).status_code in (302, 403)
    assert boss.client.post(path, {"post": "yes"}).status_code in (302, 403)


def test_sessions_are_shown_with_their_person(boss, user):
    sign_in(email=user.email, password=PASSWORD, address="192.0.2.7", user_agent="Phone of Grace")

    page = boss.client.get(page_of(user)).content.decode()

    assert "Phone of Grace" in page
    assert "192.0.2.7" in page


def test_where_people_sign_in_is_not_for_everybody(browser, moderator, user):
    sign_in(email=user.email, password=PASSWORD, user_agent="Phone of Grace")

    assert "Phone of Grace" not in browser(moderator).client.get(page_of(user)).content.decode()


def test_a_forged_post_to_the_sessions_changes_nothing(boss, user):
    sign_in(email=user.email, password=PASSWORD)
    session = Session.objects.get()
    form = {
        "sessions-TOTAL_FORMS": "1",
        "sessions-INITIAL_FORMS": "1",
        "sessions-0-id": str(session.pk),
        "sessions-0-user": str(user.pk),
        "sessions-0-DELETE": "on",
    }

    assert boss.client.post(page_of(user), form).status_code == 403
    assert Session.objects.get() == session


@pytest.mark.parametrize("model", [Group, OutstandingToken, BlacklistedToken])
def test_groups_and_tokens_have_no_page(model):
    assert not admin.site.is_registered(model)


# --- Roles ---


@pytest.mark.parametrize("role", [Role.MODERATOR, Role.FINANCE, Role.ADMIN])
def test_an_admin_gives_a_role_after_a_page(boss, admin_user, user, role):
    page = boss.act(f"make_{role}", user).content.decode()
    assert user.display_name in page
    assert f"with the role {role}" in page
    assert User.objects.get(pk=user.pk).role == Role.PLAYER

    answer = boss.act(f"make_{role}", user, reason="new hire")

    assert messages_of(answer) == [f"1 of 1 made {role.label.lower()}."]
    change = UserChange.objects.get(subject_id=user.pk)
    assert (change.to_value, change.actor_id, change.reason) == (role, admin_user.pk, "new hire")


def test_a_role_is_not_given_without_a_reason(boss, user):
    page = boss.act("make_moderator", user, reason=" ").content.decode()

    assert "Say why." in page
    assert User.objects.get(pk=user.pk).role == Role.PLAYER


def test_refusals_are_grouped_by_reason(boss, admin_user, user):
    unverified = UserFactory(email_verified_at=None)
    people = [user, ModeratorFactory(), ModeratorFactory(), unverified, admin_user]

    answer = boss.act("make_moderator", *people, reason="reshuffle")

    assert messages_of(answer) == [
        "1 of 5 made moderator.",
        "2 of 5 refused: A person that is moderator cannot become moderator.",
        "1 of 5 refused: Nobody may do this to their own account.",
        "1 of 5 refused: Staff need a verified e-mail address.",
    ]


def test_a_role_is_taken_away(boss, moderator):
    boss.act("make_player", moderator, reason="left")

    assert User.objects.get(pk=moderator.pk).role == Role.PLAYER


@pytest.mark.parametrize("make", [ModeratorFactory, FinanceFactory])
@pytest.mark.parametrize("action", [name for name in UserAdmin.actions if name != "resend_verification"])
def test_others_have_no_such_action(db, browser, user, make, action):
    before = User.objects.filter(pk=user.pk).values().get()

    page = browser(make()).act(action, user, reason="x").content.decode()

    assert f'value="{action}"' not in page
    assert User.objects.filter(pk=user.pk).values().get() == before


# --- Shutting, opening, signing out ---


def test_an_account_is_shut_and_opened(boss, user):
    sign_in(email=user.email, password=PASSWORD)

    page = boss.act("deactivate", user).content.decode()
    shut = boss.act("deactivate", user, reason="charge-back")
    assert "sessions that end at once: 1" in page
    assert messages_of(shut) == ["1 of 1 deactivated."]
    assert not User.objects.get(pk=user.pk).is_active

    opened = boss.act("reactivate", user, reason="settled")
    assert messages_of(opened) == ["1 of 1 reactivated."]
    assert User.objects.get(pk=user.pk).is_active


def test_shutting_is_refused_for_oneself_and_for_the_shut(boss, admin_user):
    answer = boss.act("deactivate", admin_user, UserFactory(is_active=False), reason="x")

    assert sorted(messages_of(answer)) == [
        "1 of 2 refused: An account that is deactivated cannot become deactivated.",
        "1 of 2 refused: Nobody may do this to their own account.",
    ]


def test_opening_is_refused_for_the_open_and_the_closed(boss, user, stranger):
    close_account(user=stranger, now=database_now())

    answer = boss.act("reactivate", user, stranger, reason="x")

    assert len(messages_of(answer)) == 2
    assert all("refused" in message for message in messages_of(answer))


def test_all_sessions_of_somebody_end(boss, user):
    for _ in range(2):
        sign_in(email=user.email, password=PASSWORD)

    page = boss.act("end_sessions", user).content.decode()
    answer = boss.act("end_sessions", user, reason="")

    assert "2 sessions end at once; people chosen: 1." in page
    assert messages_of(answer) == ["1 of 1 signed out."]
    assert set(Session.objects.values_list("revoked_because", flat=True)) == {SessionEnd.STAFF}


def test_ending_the_sessions_of_staff_signs_their_browser_out(boss, browser, moderator):
    other = browser(moderator)
    assert other.client.get(LIST).status_code == 200

    boss.act("end_sessions", moderator, reason="")

    assert other.client.get(LIST).status_code == 302


def test_ending_ones_own_sessions_here_is_refused(boss, admin_user):
    answer = boss.act("end_sessions", admin_user, reason="")

    assert messages_of(answer) == ["1 of 1 refused: Nobody may do this to their own account."]


def test_a_moderator_sends_a_verification_again(browser, moderator):
    newcomer = UserFactory(email_verified_at=None)

    page = browser(moderator).act("resend_verification", newcomer).content.decode()
    answer = browser(moderator).act("resend_verification", newcomer, reason="")

    assert "1 of 1 gets a new link" in page
    assert messages_of(answer) == ["1 of 1 mailed."]
    assert OutboxMessage.objects.get().payload == {"user": newcomer.pk}


def test_a_verified_address_gets_no_second_mail(browser, moderator, user):
    answer = browser(moderator).act("resend_verification", user, reason="")

    assert messages_of(answer) == ["1 of 1 refused: An address that is verified cannot become verified."]
    assert not OutboxMessage.objects.exists()


def test_finance_sends_no_verifications(db, browser):
    newcomer = UserFactory(email_verified_at=None)

    browser(FinanceFactory()).act("resend_verification", newcomer, reason="")

    assert not OutboxMessage.objects.exists()


def test_a_list_that_changed_is_shown_again(boss, user, stranger):
    form = {"action": "deactivate", "_selected_action": [user.pk, stranger.pk], "confirmed": "1", "reason": "x"}

    page = boss.client.post(LIST, form).content.decode()

    assert "The list changed" in page
    assert User.objects.get(pk=user.pk).is_active


# --- The record ---


def test_admins_read_who_did_what(boss, admin_user, user):
    boss.act("make_moderator", user, reason="canary reason")

    assert "canary reason" in boss.client.get("/admin/accounts/userchange/").content.decode()


def test_the_record_is_on_the_persons_page(boss, admin_user, user):
    boss.act("deactivate", user, reason="canary reason")

    page = boss.client.get(page_of(user)).content.decode()
    assert "canary reason" in page
    assert "is active" in page


@pytest.mark.parametrize("make", [ModeratorFactory, FinanceFactory])
def test_others_do_not(db, browser, boss, user, make):
    boss.act("deactivate", user, reason="canary reason")
    client = browser(make()).client

    assert client.get("/admin/accounts/userchange/").status_code == 403
    assert "canary reason" not in client.get(page_of(user)).content.decode()
