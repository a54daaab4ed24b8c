"""A real issuer on this machine, and a browser that goes there and back."""

import secrets
import threading
from http.client import HTTPConnection
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.core.cache import caches
from rest_framework.test import APIClient

from config.local.oidc.issuer import challenge_of
from config.local.oidc.server import Server

CLIENT = {"client_id": "outlast-test", "client_secret": "not a secret: only/here & for the tests of this file"}
RETURN_TO = "https://app.example.test/signed-in"
PROFILE = {"display_name": "Ada", "date_of_birth": "1990-12-10", "country": "GB"}
_hosts = iter(range(1, 60_000))


@pytest.fixture(scope="session")
def issuer_server():
    callbacks = [
        f"http://{host}/api/v1/auth/{name}/callback"
        for host in ("127.0.0.1:8000", "testserver")
        for name in ("local", "other")
    ]
    with Server(0, **CLIENT, redirect_uris=callbacks) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join(timeout=5)


@pytest.fixture
def issuer(issuer_server, settings):
    """The issuer as provider `local`, without faults, known to nobody yet."""
    caches["default"].clear()
    issuer_server.issuer.faults = set()
    issuer_server.issuer.calls.clear()
    settings.PUBLIC_URL = "http://testserver"
    settings.OIDC_ISSUERS = [{"id": "local", "name": "Local", "issuer": issuer_server.url, **CLIENT}]
    settings.SIGN_IN_RETURNS = [RETURN_TO, "https://other.example.test/"]
    return issuer_server.issuer


class Browser:
    """One browser, with its cookies, and the client that it came from."""

    def __init__(self, provider="local") -> None:
        number = next(_hosts)
        address = f"198.24.{number // 250}.{number % 250 + 1}"
        self.http = APIClient(raise_request_exception=False, REMOTE_ADDR=address)
        self.provider = provider
        self.verifier = secrets.token_urlsafe(48)

    def begin(self, **asked):
        """The answer that sends the browser to the provider."""
        query = {"code_challenge": challenge_of(self.verifier), "return_to": RETURN_TO} | asked
        return self.http.get(f"/api/v1/auth/{self.provider}/begin?{urlencode(query)}")

    def leave(self) -> str:
        """Begin; the provider's page."""
        answer = self.begin()
        assert answer.status_code == 302, answer.content
        return answer["Location"]

    def decide(self, page: str, **form) -> str:
        """Press the button there; the address that the provider sends back to."""
        parts = urlsplit(page)
        connection = HTTPConnection(parts.netloc, timeout=20)
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", f"{parts.path}?{parts.query}", urlencode(form), headers)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        assert answer.status == 302, answer.status
        return answer.headers["Location"]

    def arrive(self, address: str):
        """Follow the way back."""
        parts = urlsplit(address)
        return self.http.get(f"{parts.path}?{parts.query}")

    def travel(self, **person) -> dict[str, str]:
        """There and back; what the client is told in its address."""
        person = {"subject": "ada", "email": "ada@example.test", "email_verified": "true", "name": "Ada L."} | person
        answer = self.arrive(self.decide(self.leave(), **person))
        assert answer.status_code == 302, answer.content
        assert answer["Location"].startswith(f"{RETURN_TO}?")
        return said(answer)

    def enter(self, code: str, **more):
        """Show our code; status and body."""
        body = {"code": code, "verifier": self.verifier} | more
        answer = self.http.post("/api/v1/auth/token/social", body, format="json")
        return answer.status_code, answer.json()

    def sign_in(self, profile=None, **person):
        """All of it."""
        return self.enter(self.travel(**person)["code"], profile=profile)


def said(answer) -> dict[str, str]:
    """The query of a redirect."""
    return {name: value for name, [value] in parse_qs(urlsplit(answer["Location"]).query).items()}


@pytest.fixture
def new_browser(issuer, db):
    return Browser


@pytest.fixture
def browser(new_browser):
    return new_browser()
