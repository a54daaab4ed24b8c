"""In the back office what matters asks for the password again, on the very page, and nothing typed is lost."""

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from accounts.models import Role, User
from config.fresh_pages import CODE, PASSWORD
from config.models import AuditEntry
from tests.accounts.staff.conftest import Desk, hidden, text_of
from tests.factories.accounts import PASSWORD as SECRET
from tests.factories.accounts import UserFactory
from tests.support.devices import give_device

LIST = "/admin/accounts/user/"
REASON = 'she runs "the" <b>pool</b> & knows\nthe rules'


@pytest.fixture
def inside(desk, boss) -> Desk:
    desk.enter()
    return desk


@pytest.fixture
def colleague(db):
    return UserFactory()


def chosen(*people, **more):
    return {
        "action": "make_moderator", ACTION_CHECKBOX_NAME: [person.pk for person in people],
        "confirmed": str(len(people)), "reason": REASON, "index": "0", "select_across": "0", **more,
    }  # fmt: skip


def carried(page) -> dict:
    """What the page would send again."""
    names = ("action", "confirmed", "reason", "index", "select_across", ACTION_CHECKBOX_NAME)
    return {name: hidden(page, name) for name in names}


def role_of(person) -> str:
    return User.objects.get(pk=person.pk).role


def test_fresh_from_signing_in_nothing_more_is_asked(inside, colleague):
    inside.client.post(LIST, chosen(colleague))

    assert role_of(colleague) == Role.MODERATOR


def test_later_the_password_is_asked_for_and_nothing_is_done(inside, colleague):
    inside.make_stale(601)

    page = inside.client.post(LIST, chosen(colleague))

    assert (page.status_code, "Is it you?" in text_of(page)) == (200, True)
    assert role_of(colleague) == Role.PLAYER


def test_with_the_password_it_goes_on_with_all_that_was_typed(inside, colleague):
    inside.make_stale()
    page = inside.client.post(LIST, chosen(colleague))

    done = inside.client.post(LIST, carried(page) | {PASSWORD: SECRET}, follow=True)

    assert "1 of 1 made moderator" in text_of(done)
    assert role_of(colleague) == Role.MODERATOR
    assert hidden(page, "reason") == REASON


def test_several_rows_come_along(inside, db):
    people = [UserFactory() for _ in range(3)]
    inside.make_stale()

    page = inside.client.post(LIST, chosen(*people))
    inside.client.post(LIST, chosen(*people) | {PASSWORD: SECRET})

    assert text_of(page).count(f'name="{ACTION_CHECKBOX_NAME}"') == 3
    assert [role_of(person) for person in people] == [Role.MODERATOR] * 3


def test_afterwards_ten_minutes_are_quiet(inside, db):
    first, second = UserFactory(), UserFactory()
    inside.make_stale()
    inside.client.post(LIST, chosen(first) | {PASSWORD: SECRET})

    inside.client.post(LIST, chosen(second))

    assert role_of(second) == Role.MODERATOR


def test_a_wrong_password_keeps_what_was_typed(inside, colleague):
    inside.make_stale()

    page = inside.client.post(LIST, chosen(colleague) | {PASSWORD: "guess"})

    assert "wrong" in text_of(page)
    assert carried(page)["reason"] == REASON
    assert "guess" not in text_of(page)
    assert role_of(colleague) == Role.PLAYER


def test_a_wrong_password_is_told_to_the_audit(inside, boss, colleague):
    inside.make_stale()
    inside.client.post(LIST, chosen(colleague, **{PASSWORD: "wrong"}))

    (entry,) = AuditEntry.objects.filter(action="sign_in.failed")
    assert (entry.person_id, entry.data) == (boss.pk, {"why": "proof"})


def test_somebody_at_a_foreign_browser_gets_five_tries(inside, colleague):
    inside.make_stale()

    statuses = [inside.client.post(LIST, chosen(colleague) | {PASSWORD: "guess"}).status_code for _ in range(6)]
    right = inside.client.post(LIST, chosen(colleague) | {PASSWORD: SECRET})

    assert statuses == [200] * 5 + [429]
    assert right.status_code == 429
    assert role_of(colleague) == Role.PLAYER


def test_a_second_factor_is_asked_for_as_well(desk, boss, colleague):
    device = give_device(boss)
    desk.show(desk.enter(), device.code())
    desk.make_stale()

    page = desk.client.post(LIST, chosen(colleague))
    assert f'name="{CODE}"' in text_of(page)
    without = desk.client.post(LIST, chosen(colleague) | {PASSWORD: SECRET})
    assert "second factor" in text_of(without)
    assert role_of(colleague) == Role.PLAYER

    desk.client.post(LIST, chosen(colleague) | {PASSWORD: SECRET, CODE: device.code()})
    assert role_of(colleague) == Role.MODERATOR


def test_without_one_no_code_is_asked_for(inside, colleague):
    inside.make_stale()

    assert f'name="{CODE}"' not in text_of(inside.client.post(LIST, chosen(colleague)))


def test_a_browser_of_which_nobody_knows_when_is_stale(inside, colleague):
    session = inside.client.session
    del session["authenticated_at"]
    session.save()

    assert "Is it you?" in text_of(inside.client.post(LIST, chosen(colleague)))


def test_the_right_is_asked_for_before_the_password(new_desk, moderator, colleague):
    desk = new_desk()
    desk.client.force_login(moderator)
    desk.make_stale()

    answer = desk.client.post(LIST, chosen(colleague))

    assert "Is it you?" not in text_of(answer)
    assert role_of(colleague) == Role.PLAYER


def test_an_action_that_only_protects_asks_nothing(inside, colleague):
    inside.make_stale()

    page = inside.client.post(LIST, chosen(colleague, action="end_sessions"), follow=True)

    assert "signed out" in text_of(page)


def test_it_is_told_to_the_audit(inside, boss, colleague):
    inside.make_stale()
    inside.client.post(LIST, chosen(colleague) | {PASSWORD: SECRET})

    entry = AuditEntry.objects.get(action="sign_in.proved_again")
    assert (entry.actor_id, entry.person_id) == (boss.pk, boss.pk)


def test_a_file_has_to_be_chosen_again_and_the_page_says_so(inside):
    inside.make_stale()
    scan = SimpleUploadedFile("receipt.png", b"\x89PNG\r\n\x1a\n", "image/png")

    page = inside.client.post(
        reverse("admin:payments_manualrecord_record_payment"),
        {"request": "1", "reference": "R-1", "method": "cash", "note": "till 3", "evidence": scan},
    )

    assert "Choose the file again: evidence" in text_of(page)
    assert 'enctype="multipart/form-data"' in text_of(page)
    assert (hidden(page, "reference"), hidden(page, "note")) == ("R-1", "till 3")
