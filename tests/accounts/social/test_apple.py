"""The whole way through a provider that answers as Apple does: a form comes back, and our secret is a signed token."""

import html
import re
from http.client import HTTPConnection
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from accounts.models import Login, User
from tests.accounts.social.conftest import CLIENT, PROFILE, RETURN_TO, Browser, said


@pytest.fixture
def private_key():
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def apple(issuer, db, settings, monkeypatch, private_key):
    """The local issuer in Apple's place."""
    pem = private_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    monkeypatch.setattr("accounts.oidc.providers.APPLE", issuer.url)
    monkeypatch.setattr(issuer, "secret_ways", ("client_secret_post",))
    monkeypatch.setattr(issuer, "client_key", private_key.public_key())
    monkeypatch.setattr(issuer, "redirect_uris", ["http://testserver/api/v1/auth/apple/callback"])
    settings.OIDC_ISSUERS = []
    settings.APPLE_CLIENT_ID, settings.APPLE_TEAM_ID, settings.APPLE_KEY_ID = CLIENT["client_id"], "TEAM", "KEY"
    settings.APPLE_PRIVATE_KEY = pem.strip().replace("\n", "\\n")
    return issuer


def pressed(page, **form):
    """The button; the fields that the browser then posts to us by itself, and where."""
    parts = urlsplit(page)
    connection = HTTPConnection(parts.netloc, timeout=20)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", f"{parts.path}?{parts.query}", urlencode(form), headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    assert answer.status == 200, text
    [address] = re.findall(r'action="([^"]+)"', text)
    return html.unescape(address), {
        name: html.unescape(value) for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', text)
    }


def arrived(browser, address, fields):
    """What the form becomes, as a browser has it: the form without our cookie, the link after it with it."""
    cookie = browser.http.cookies.pop("outlast_sign_in").value
    form = urlencode(fields | {"user": '{"name": {"firstName": "Ada"}}'})
    posted = browser.http.generic(
        "POST", urlsplit(address).path, form, content_type="application/x-www-form-urlencoded"
    )
    assert posted.status_code == 303, posted.content
    browser.http.cookies["outlast_sign_in"] = cookie
    return browser.http.get(posted["Location"])


ADA = {"subject": "001.ada", "email": "ada@example.test", "email_verified": "true", "name": ""}


def test_the_form_leads_in(apple):
    browser = Browser("apple")
    page = browser.leave()
    assert parse_qs(urlsplit(page).query)["response_mode"] == ["form_post"]
    address, fields = pressed(page, **ADA)

    answer = arrived(browser, address, fields)

    assert answer["Location"].startswith(f"{RETURN_TO}?code=")
    status, body = browser.enter(said(answer)["code"], profile=PROFILE)
    assert (status, User.objects.get().email) == (200, "ada@example.test"), body
    assert list(Login.objects.values_list("provider", "subject")) == [("apple", "001.ada")]


def test_changing_ones_mind_comes_back_as_a_form_too(apple):
    browser = Browser("apple")
    address, fields = pressed(browser.leave(), cancel="1")

    assert said(arrived(browser, address, fields)) == {"error": "SIGN_IN_CANCELLED"}


def test_a_secret_signed_with_another_key_opens_nothing(apple, monkeypatch):
    monkeypatch.setattr(apple, "client_key", ec.generate_private_key(ec.SECP256R1()).public_key())
    browser = Browser("apple")
    address, fields = pressed(browser.leave(), **ADA)

    assert said(arrived(browser, address, fields)) == {"error": "SIGN_IN_FAILED"}


def test_a_strangers_form_goes_nowhere(apple):
    """Whoever posts it: without the cookie of the browser that began, the link it becomes is refused."""
    attacker, victim = Browser("apple"), Browser("apple")
    address, fields = pressed(attacker.leave(), **ADA)
    form = urlencode(fields)
    posted = victim.http.generic("POST", urlsplit(address).path, form, content_type="application/x-www-form-urlencoded")

    assert posted["Location"].startswith("/api/v1/auth/apple/callback?")
    answer = victim.http.get(posted["Location"])
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "SIGN_IN_FAILED")
