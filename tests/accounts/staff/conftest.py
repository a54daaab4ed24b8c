"""Staff with and without a second factor, and browsers at the admin's sign-in."""

import itertools
import re
from html import unescape

import pytest
from django.test import Client

from tests.factories.accounts import PASSWORD, AdminFactory
from tests.support.devices import give_device

LOGIN = "/admin/login/"
_hosts = itertools.count(1)


@pytest.fixture
def boss(db):
    """An admin with a password."""
    return AdminFactory(email="boss@example.test", password=PASSWORD)


@pytest.fixture
def device(boss):
    """The admin's device."""
    return give_device(boss)


@pytest.fixture
def required(settings):
    """As in production."""
    settings.STAFF_TOTP_REQUIRED = True


class Desk:
    """A browser at an address of its own."""

    def __init__(self, address: str = "") -> None:
        self.client = Client(REMOTE_ADDR=address or f"198.22.{next(_hosts) // 250}.{next(_hosts) % 250 + 1}")

    def enter(self, email="boss@example.test", password=PASSWORD, **more):
        """Give the password."""
        return self.client.post(LOGIN, {"username": email, "password": password, **more})

    def show(self, page, code, **more):
        """Give the code on the page that asked for it."""
        return self.client.post(LOGIN, {"half_way": note_of(page), "code": code, **more})

    @property
    def is_in(self) -> bool:
        return self.client.get("/admin/").status_code == 200

    @property
    def has_session(self) -> bool:
        return "_auth_user_id" in self.client.session

    def make_stale(self, seconds=3600, key="authenticated_at") -> None:
        """As if so much time had passed since the person proved who they are."""
        session = self.client.session
        session[key] -= seconds
        session.save()


@pytest.fixture
def desk(db) -> Desk:
    return Desk()


@pytest.fixture
def new_desk(db):
    return Desk


def note_of(page) -> str:
    """The hidden note that goes from step to step."""
    return hidden(page, "half_way")


def hidden(page, name: str) -> str:
    [value] = re.findall(rf'name="{name}" value="([^"]*)"', page.content.decode())
    return unescape(value)


def text_of(page) -> str:
    return page.content.decode()
