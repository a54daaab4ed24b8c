"""Clients of the account calls, each from an address of its own, so that no test uses up another's limits."""

import itertools
from dataclasses import dataclass

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from config import outbox
from tests.factories.accounts import PASSWORD, UserFactory
from tests.support.hashing import make_quick

_hosts = itertools.count(1)

REGISTRATION = {
    "email": "Ada.Lovelace@Example.test",
    "password": "an analytical engine",
    "display_name": "Ada",
    "date_of_birth": "1990-12-10",
    "country": "gb",
    "region": "eng",
}


@dataclass
class Caller:
    """An API client that speaks JSON and answers (status, whole body)."""

    http: APIClient

    def send(self, method: str, path: str, body=None, **headers):
        response = getattr(self.http, method)(f"/api/v1{path}", body, format="json", **headers)
        return response.status_code, response.json() if response.content else None

    def get(self, path, **headers):
        return self.send("get", path, **headers)

    def post(self, path, body=None, **headers):
        return self.send("post", path, body if body is not None else {}, **headers)

    def patch(self, path, body, **headers):
        return self.send("patch", path, body, **headers)

    def delete(self, path, **headers):
        return self.send("delete", path, **headers)

    def bear(self, access: str) -> "Caller":
        """The same client, with an access token."""
        self.http.credentials(HTTP_AUTHORIZATION=f"Bearer {access}")
        return self

    def from_address(self, address: str) -> "Caller":
        self.http.defaults["REMOTE_ADDR"] = address
        return self


@pytest.fixture(autouse=True)
def _quick_hashes(monkeypatch):
    """Argon2 with the least memory and one pass: what it costs in earnest is not what these tests are about."""
    make_quick(monkeypatch)


@pytest.fixture
def new_caller(db):
    def make() -> Caller:
        number = next(_hosts)
        return Caller(APIClient(raise_request_exception=False)).from_address(
            f"198.18.{number // 250}.{number % 250 + 1}"
        )

    return make


@pytest.fixture
def caller(new_caller) -> Caller:
    return new_caller()


@pytest.fixture
def user(db) -> User:
    """A player with a password."""
    return UserFactory(email="grace@example.test", password=PASSWORD)


@pytest.fixture
def sign_in(new_caller):
    """Sign somebody in through the API; the answer's data."""

    def make(user: User, password: str = PASSWORD) -> dict:
        status, body = new_caller().post("/auth/token", {"email": user.email, "password": password})
        assert status == 200, body
        return body["data"]

    return make


@pytest.fixture
def signed_in(new_caller, sign_in):
    """A caller with a real access token of this person."""
    return lambda user: new_caller().bear(sign_in(user)["access"])


@pytest.fixture
def drained(mailoutbox):
    """Do what the outbox holds; the mails that came of it."""

    def drain():
        mailoutbox.clear()
        outbox.drain()
        return list(mailoutbox)

    return drain


def token_in(message) -> str:
    """The token of a mail, as a script would find it: alone on its line."""
    [token] = [
        line for line in message.body.splitlines() if line.count(".") == 1 and " " not in line and len(line) > 60
    ]
    return token
