"""Guessing is slow, from wherever; and nobody can shut the owner's door."""

import threading

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.db import connections
from django.test import Client

from accounts.models import Session
from accounts.services import entrance
from accounts.services.passwords import change_password
from config.clock import database_now
from config.models import AuditEntry
from tests.accounts.staff.conftest import LOGIN, text_of
from tests.factories.accounts import PASSWORD, UserFactory

PATH = "/auth/token"


@pytest.fixture
def credentials(user):
    return {"email": user.email, "password": PASSWORD}


@pytest.fixture
def wrong(credentials):
    return credentials | {"password": "wrong"}


@pytest.fixture
def looked_at(monkeypatch):
    """How many passwords reached the hasher."""
    seen, whole = [], threading.Lock()
    verify = Argon2PasswordHasher.verify

    def counted(self, password, encoded):
        with whole:
            seen.append(password)
        return verify(self, password, encoded)

    monkeypatch.setattr(Argon2PasswordHasher, "verify", counted)
    return seen


def attacked(new_caller, wrong, *, places: int, tries: int = 1):
    """So many strange places have tried so often."""
    return [[caller.post(PATH, wrong)[0] for _ in range(tries)] for caller in (new_caller() for _ in range(places))]


@pytest.mark.django_db(transaction=True)
def test_row_4_of_fifty_wrong_passwords_at_once_five_reach_the_hasher(new_caller, user, wrong, looked_at):
    caller, statuses = new_caller(), []
    address = caller.http.defaults["REMOTE_ADDR"]

    def try_once():
        try:
            statuses.append(new_caller().from_address(address).post(PATH, wrong)[0])
        finally:
            connections.close_all()

    threads = [threading.Thread(target=try_once) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(statuses) == [401] * 5 + [429] * 45
    assert len(looked_at) == 5


def test_a_limit_that_is_reached_is_told_to_the_audit_once(new_caller, wrong):
    caller = new_caller()
    for _ in range(9):
        caller.post(PATH, wrong)

    entry = AuditEntry.objects.get(action="limit.reached")
    assert (entry.actor_kind, entry.data) == ("anonymous", {"kind": "sign_in"})
    assert entry.address == caller.http.defaults["REMOTE_ADDR"]


def test_row_5_a_thousand_failures_from_twenty_places_do_not_keep_the_owner_out(new_caller, credentials, wrong):
    attackers = [new_caller() for _ in range(20)]
    for _ in range(50):
        for attacker in attackers:
            attacker.post(PATH, wrong)

    assert new_caller().post(PATH, credentials)[0] == 200


def test_row_5_nor_from_the_back_office(new_desk, boss):
    for _ in range(20):
        attacker = new_desk()
        for _ in range(6):
            attacker.enter(password="wrong")

    owner = new_desk()
    owner.enter()
    assert owner.is_in


def test_ten_failures_in_strange_places_are_like_any(new_caller, wrong):
    assert attacked(new_caller, wrong, places=5, tries=2) == [[401, 401]] * 5


def test_from_then_on_each_strange_place_has_one_try_at_a_time(new_caller, wrong):
    attacked(new_caller, wrong, places=10)

    answers = [new_caller().from_address("192.0.2.9").post(PATH, wrong) for _ in range(2)]

    assert [status for status, _ in answers] == [401, 429]
    assert answers[1][1]["error"]["details"]["per_seconds"] == 60


def test_the_owner_is_told_once_a_day(new_caller, wrong, user, drained):
    attacked(new_caller, wrong, places=10)
    assert drained() == []
    attacked(new_caller, wrong, places=15)

    [mail] = drained()
    assert (mail.to, mail.subject) == ([user.email], "Somebody tries to sign in to your account")
    assert "None of them was right" in mail.body


def test_nobody_is_told_of_tries_at_nobodys_address(new_caller, drained, db):
    attacked(new_caller, {"email": "nobody@example.test", "password": "wrong"}, places=15)

    assert drained() == []


def test_the_more_fail_the_longer_a_strange_place_waits(new_caller, wrong):
    waits = []
    for places in (10, 20, 70):
        attacked(new_caller, wrong, places=places)
        attacker = new_caller()
        attacker.post(PATH, wrong)
        waits.append(attacker.post(PATH, wrong)[1]["error"]["details"]["per_seconds"])

    assert waits == [60, 300, 900]


def test_hammering_makes_nobody_wait_longer(new_caller, wrong):
    attacked(new_caller, wrong, places=10)
    hammer = new_caller()
    for _ in range(100):
        hammer.post(PATH, wrong)
    other = new_caller()
    other.post(PATH, wrong)

    assert other.post(PATH, wrong)[1]["error"]["details"]["per_seconds"] == 60


@pytest.fixture
def signed_in_from(new_caller, credentials):
    """A place that the owner is known by, without the cookie of a browser."""

    def make(address):
        assert new_caller().from_address(address).post(PATH, credentials)[0] == 200
        return new_caller().from_address(address)

    return make


def test_a_place_the_owner_signed_in_from_keeps_its_five_tries(new_caller, signed_in_from, wrong):
    home = signed_in_from("192.0.2.5")
    attacked(new_caller, wrong, places=30)

    assert [home.post(PATH, wrong)[0] for _ in range(6)] == [401] * 5 + [429]


def test_the_neighbour_in_an_ipv6_network_is_the_same_place(new_caller, signed_in_from, wrong):
    signed_in_from("2001:db8:1:2::1")
    attacked(new_caller, wrong, places=30)

    near, far = (new_caller().from_address(address) for address in ("2001:db8:1:2:ffff::9", "2001:db8:1:3::1"))
    assert [near.post(PATH, wrong)[0] for _ in range(3)] == [401] * 3
    assert [far.post(PATH, wrong)[0] for _ in range(3)] == [401, 429, 429]


def test_after_thirty_days_a_place_is_strange_again(new_caller, signed_in_from, wrong):
    home = signed_in_from("192.0.2.5")
    Session.objects.update(refreshed_at=database_now() - entrance.KNOWN_FOR)
    attacked(new_caller, wrong, places=30)

    assert [home.post(PATH, wrong)[0] for _ in range(2)] == [401, 429]


def test_a_place_somebody_else_signed_in_from_is_strange(new_caller, wrong):
    other = UserFactory(password=PASSWORD)
    attacker = new_caller()
    attacker.post(PATH, {"email": other.email, "password": PASSWORD})
    attacker.http.cookies.clear()
    attacked(new_caller, wrong, places=30)

    assert [attacker.post(PATH, wrong)[0] for _ in range(2)] == [401, 429]


def test_an_address_without_an_account_is_slowed_the_same(new_caller, wrong):
    nobody = {"email": "nobody@example.test", "password": "wrong"}
    for body in (wrong, nobody):
        attacked(new_caller, body, places=10)

    attackers = [new_caller(), new_caller()]
    answers = [
        [attacker.post(PATH, body) for _ in range(2)] for attacker, body in zip(attackers, (wrong, nobody), strict=True)
    ]

    assert [[status for status, _ in each] for each in answers] == [[401, 429]] * 2
    assert answers[0][0][1]["error"] == answers[1][0][1]["error"]


class TestKnownBrowser:
    @pytest.fixture
    def browser(self, boss):
        """A browser that signed in, and is elsewhere now."""
        client = Client(REMOTE_ADDR="192.0.2.1")
        client.post(LOGIN, {"username": boss.email, "password": PASSWORD})
        del client.cookies["outlast_staff"]
        client.defaults["REMOTE_ADDR"] = "192.0.2.2"
        return client

    def attack(self, new_desk):
        for _ in range(30):
            new_desk().enter(password="wrong")

    def enter(self, client, password):
        return client.post(LOGIN, {"username": "boss@example.test", "password": password})

    def test_it_waits_for_nobody(self, browser, new_desk):
        self.attack(new_desk)

        pages = [self.enter(browser, "wrong") for _ in range(4)]

        assert ["Too many calls" in text_of(page) for page in pages] == [False] * 4
        assert self.enter(browser, PASSWORD).status_code == 302

    def test_its_cookie_is_for_the_server_alone(self, browser):
        cookie = browser.cookies[entrance.DEVICE_COOKIE]

        assert (cookie["httponly"], cookie["samesite"]) == (True, "Strict")

    def test_its_cookie_has_five_tries_wherever_it_is_carried(self, browser, new_desk):
        pages = []
        for number in range(6):
            browser.defaults["REMOTE_ADDR"] = f"192.0.2.{number + 10}"
            pages.append("Too many calls" in text_of(self.enter(browser, "wrong")))

        assert pages == [False] * 5 + [True]

    @pytest.mark.parametrize("value", ["", "nonsense", "eyJ1IjoxfQ:1:x"])
    def test_a_made_up_cookie_is_none(self, boss, new_desk, value):
        self.attack(new_desk)
        client = Client(REMOTE_ADDR="192.0.2.3")
        client.cookies[entrance.DEVICE_COOKIE] = value

        pages = [text_of(self.enter(client, "wrong")) for _ in range(2)]

        assert ["Too many calls" in page for page in pages] == [False, True]

    def test_a_cookie_of_before_a_changed_password_is_none(self, browser, boss, new_desk):
        change_password(user=boss, current=PASSWORD, new="a wholly different phrase")
        self.attack(new_desk)

        pages = [text_of(self.enter(browser, "wrong")) for _ in range(2)]

        assert ["Too many calls" in page for page in pages] == [False, True]

    def test_somebody_elses_cookie_is_none(self, browser, user, new_caller, wrong):
        attacked(new_caller, wrong, places=30)
        thief = new_caller()
        thief.http.cookies[entrance.DEVICE_COOKIE] = browser.cookies[entrance.DEVICE_COOKIE].value

        assert [thief.post(PATH, wrong)[0] for _ in range(2)] == [401, 429]
