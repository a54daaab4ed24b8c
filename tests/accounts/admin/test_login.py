"""Staff sign in and change their password."""

import itertools
from urllib.parse import urlencode

import pytest
from django.test import Client

from accounts.models import Session, SessionEnd, User
from accounts.services.sessions import sign_in
from config.models import AuditEntry
from tests.factories.accounts import PASSWORD, AdminFactory

LOGIN, CHANGE = "/admin/login/", "/admin/password_change/"
NEW = "a wholly different phrase"
_hosts = itertools.count(1)


@pytest.fixture
def client(db):
    return Client(REMOTE_ADDR=f"198.20.0.{next(_hosts)}")


@pytest.fixture
def boss(db):
    return AdminFactory(email="boss@example.test", password=PASSWORD)


def enter(client, email="boss@example.test", password=PASSWORD):
    return client.post(LOGIN, {"username": email, "password": password, "next": "/admin/"})


@pytest.mark.parametrize("email", ["boss@example.test", "BOSS@Example.test"])
def test_staff_enter_with_their_address_in_any_case(client, boss, email):
    assert enter(client, email).status_code == 302
    assert client.get("/admin/").status_code == 200


def test_players_do_not_enter(client, user):
    response = enter(client, user.email)

    assert response.status_code == 200
    assert "staff account" in response.content.decode()


def test_after_five_wrong_tries_even_the_right_password_waits(client, boss):
    for _ in range(5):
        assert "password is wrong" in enter(client, password="wrong").content.decode()

    response = enter(client)

    assert response.status_code == 200
    assert "Too many calls" in response.content.decode()


def test_the_tries_at_the_api_count_here_too(client, boss):
    body = {"email": boss.email, "password": "wrong"}
    statuses = [client.post("/api/v1/auth/token", body, "application/json").status_code for _ in range(5)]

    assert statuses == [401] * 5
    assert "Too many calls" in enter(client).content.decode()


def test_a_wrong_present_password_is_told_to_the_audit(client, boss):
    enter(client)
    client.post(CHANGE, {"old_password": "wrong", "new_password1": NEW, "new_password2": NEW})
    client.post(CHANGE, {"old_password": PASSWORD, "new_password1": "short", "new_password2": "short"})

    (entry,) = AuditEntry.objects.filter(action="sign_in.failed")
    assert (entry.person_id, entry.data) == (boss.pk, {"why": "proof"})


def test_other_letters_for_the_same_address_are_no_more_tries(client, boss):
    """Django's form reads a full-width letter as the plain one."""
    spellings = [boss.email.replace(letter, chr(ord(letter) + 0xFEE0), 1) for letter in "bosexa"]
    pages = [enter(client, spelling, "wrong").content.decode() for spelling in spellings]

    assert ["password is wrong" in page for page in pages] == [True] * 5 + [False]
    assert "Too many calls" in enter(client).content.decode()


def test_entering_rightly_uses_nothing_up(client, boss):
    assert [enter(client).status_code for _ in range(7)] == [302] * 7


def test_a_stranger_cannot_lock_staff_out(client, boss):
    for _ in range(8):
        enter(client, password="wrong")

    assert enter(Client(REMOTE_ADDR="198.20.1.1")).status_code == 302


def test_a_form_of_another_kind_is_counted_as_well(client, boss):
    """As browsers send it; the other tests send multipart."""
    form = urlencode({"username": boss.email, "password": "wrong"})
    pages = [client.post(LOGIN, form, "application/x-www-form-urlencoded").content.decode() for _ in range(6)]

    assert ["Too many calls" in page for page in pages] == [False] * 5 + [True]


def test_a_changed_password_ends_everything_but_this_browser(client, boss):
    enter(client)
    other = Client(REMOTE_ADDR="198.20.1.2")
    enter(other)
    sign_in(email=boss.email, password=PASSWORD)

    response = client.post(CHANGE, {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW})

    assert (response.status_code, response.url) == (302, "/admin/password_change/done/")
    assert client.get("/admin/").status_code == 200
    assert other.get("/admin/").status_code == 302
    assert Session.objects.get().revoked_because == SessionEnd.PASSWORD
    assert User.objects.get().check_password(NEW)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("wrong", NEW, "old password was entered incorrectly"),
        (PASSWORD, "short", "too short"),
        (PASSWORD, PASSWORD, "present password"),
    ],
)
def test_a_bad_change_is_refused(client, boss, old, new, message):
    enter(client)

    response = client.post(CHANGE, {"old_password": old, "new_password1": new, "new_password2": new})

    assert response.status_code == 200
    assert message in response.content.decode()
    assert User.objects.get().check_password(PASSWORD)


def test_somebody_at_a_foreign_browser_gets_five_tries(client, boss):
    enter(client)
    guess = {"old_password": "guess", "new_password1": NEW, "new_password2": NEW}

    statuses = [client.post(CHANGE, guess).status_code for _ in range(6)]
    refusal = client.post(CHANGE, guess | {"old_password": PASSWORD})

    assert statuses == [200] * 5 + [429]
    assert (refusal.status_code, int(refusal["Retry-After"]) > 0) == (429, True)
    assert User.objects.get().check_password(PASSWORD)


def test_the_page_is_for_staff(client, user):
    client.force_login(user)

    assert client.get(CHANGE).status_code == 302
    assert client.get("/admin/password_change/").url.startswith(LOGIN)


def test_the_page_looks_like_the_rest(client, boss):
    enter(client)

    page = client.get(CHANGE).content.decode()
    assert "Outlast" in page
    assert 'name="old_password"' in page
