"""The headers of every kind of answer, exactly."""

import re

import pytest
from django.test import Client

from config.api.language import OF_PLAYERS
from config.web.headers import ALWAYS
from config.web.policies import BY_PATH
from tests.factories.accounts import AdminFactory

pytestmark = pytest.mark.django_db

NOTHING = {"default-src": "'none'", "base-uri": "'none'", "form-action": "'none'", "frame-ancestors": "'none'"}
LINK_PAGE = NOTHING | {"script-src": "'self'", "style-src": "'self'", "connect-src": "'self'"}
BACK_OFFICE = NOTHING | {
    "script-src": "'self' 'unsafe-eval'",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
}
# Of one answer alone: what it is, how often one may ask, which request it was.
OF_THE_ANSWER = {
    "Content-Type", "Content-Length", "Content-Language", "X-Request-ID", "X-RateLimit-Limit", "X-RateLimit-Remaining",
    "X-RateLimit-Reset", "ETag", "traceparent", "Allow", "Location", "Retry-After", "WWW-Authenticate", "Expires",
    "Last-Modified",
}  # fmt: skip
SAFE = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ALWAYS["Permissions-Policy"],
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def policy_in(answer):
    parts = [part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; ")]
    return dict(parts)


def general(answer):
    """The headers that do not depend on this one answer, without the policy."""
    return {
        name: value for name, value in answer.headers.items() if name not in OF_THE_ANSWER | {"Content-Security-Policy"}
    }


@pytest.fixture
def staff_browser():
    made = Client()
    made.force_login(AdminFactory())
    return made


class TestApi:
    @pytest.mark.parametrize(
        ("path", "status"),
        [
            ("/api/v1/pools", 200),
            ("/api/v1/pools/999", 404),
            ("/api/v1/me", 401),
            ("/api/v1/nothing", 404),
            ("/health/live", 200),
            ("/nothing", 404),
        ],
    )
    def test_an_answer_to_nobody_in_particular(self, client, path, status):
        told = {
            "/api/v1/pools": {
                "Vary": "Authorization, Accept-Encoding, origin", "Cache-Control": "public, no-cache",
            },
            "/api/v1/pools/999": {"Vary": "Authorization, origin, Accept-Language"},
            "/api/v1/me": {"Vary": "Authorization, origin, Accept-Language"},
            "/api/v1/nothing": {"Vary": "origin, Accept-Language"},
        }  # fmt: skip
        answer = client.get(path)
        assert answer.status_code == status
        assert policy_in(answer) == NOTHING
        assert general(answer) == SAFE | told.get(path, {})

    def test_an_answer_to_somebody_is_kept_by_nobody(self, api, player):
        answer = api(player).get("/api/v1/me")
        assert answer.status_code == 200
        assert general(answer) == SAFE | {"Cache-Control": "no-store", "Vary": "Authorization, Accept-Encoding, origin"}

    def test_whoever_shows_a_token_gets_nothing_that_is_kept_whatever_the_answer_is(self, client):
        for path in ("/api/v1/pools", "/api/v1/nothing", "/metrics", "/health/detailed", "/api/v1/me"):
            answer = client.get(path, headers={"Authorization": "Bearer x"})
            assert answer.headers["Cache-Control"] == "no-store", path
            assert {"Authorization", "Cookie"} <= set(answer.headers["Vary"].split(", ")), path

    def test_what_is_refused_before_any_view_has_them_too(self, client):
        for answer in (
            client.generic("TRACE", "/api/v1/pools"),
            client.generic("POST", "/api/v1/pools", b"x", CONTENT_LENGTH=str(10**9)),
            client.get("/api/v1/pools", headers={"Host": "evil.example"}),
            client.get("/api/v1/pools", **{"outlast.come_again": 3}),
        ):
            assert answer.status_code in (400, 405, 413, 503)
            assert policy_in(answer) == NOTHING
            assert SAFE.items() <= general(answer).items()


OF_A_MAIL = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "Vary": "Accept-Language"}


class TestPages:
    @pytest.mark.parametrize("path", ["/verify-email", "/reset-password", "/confirm-email", "/undo-email"])
    def test_pages_that_mails_lead_to(self, client, path):
        answer = client.get(path)
        assert policy_in(answer) == LINK_PAGE
        assert general(answer) == SAFE | OF_A_MAIL

    def test_the_page_that_turns_letters_off(self, client):
        answer = client.get("/unsubscribe")
        assert policy_in(answer) == NOTHING | {"style-src": "'self'", "form-action": "'self'"}
        assert general(answer) == SAFE | OF_A_MAIL

    def test_every_page_for_players_has_a_policy_of_its_own_and_their_language(self):
        assert {path for path in BY_PATH if not path.startswith("/api/")} == OF_PLAYERS

    def test_the_page_a_payer_returns_to(self, client):
        answer = client.get("/payments/return")
        nonce = policy_in(answer)["style-src"].removeprefix("'nonce-").removesuffix("'")
        assert len(nonce) >= 22
        assert f'<style nonce="{nonce}">' in answer.content.decode()
        assert policy_in(answer) == NOTHING | {"style-src": f"'nonce-{nonce}'"}
        assert policy_in(client.get("/payments/return"))["style-src"] != f"'nonce-{nonce}'"
        assert "no-store" in answer.headers["Cache-Control"]
        assert answer.headers["Referrer-Policy"] == "no-referrer"

    def test_swagger(self, client):
        answer = client.get("/api/docs/", headers={"Accept": "text/html"})
        found = policy_in(answer)
        nonce = found["script-src"].removeprefix("'self' 'nonce-").removesuffix("'")
        assert f'<script nonce="{nonce}">' in answer.content.decode()
        assert found == NOTHING | {
            "script-src": f"'self' 'nonce-{nonce}'",
            "style-src": "'self' 'unsafe-inline'",
            "img-src": "'self' data:",
            "connect-src": "'self'",
        }

    def test_redoc(self, client):
        found = policy_in(client.get("/api/redoc/", headers={"Accept": "text/html"}))
        assert found == NOTHING | {
            "script-src": "'self'",
            "style-src": "'self' 'unsafe-inline'",
            "img-src": "'self' data:",
            "connect-src": "'self'",
        }

    @pytest.mark.parametrize("path", ["/admin/", "/admin/accounts/user/", "/admin/login/", "/admin/nothing/"])
    def test_the_back_office(self, staff_browser, path):
        answer = staff_browser.get(path)
        assert policy_in(answer) == BACK_OFFICE
        assert "no-store" in answer.headers["Cache-Control"]
        assert "Cookie" in answer.headers["Vary"]
        assert SAFE.items() <= general(answer).items()

    def test_the_back_office_for_strangers(self, client):
        answer = client.get("/admin/")
        assert answer.status_code == 302
        assert policy_in(answer) == BACK_OFFICE
        assert "no-store" in answer.headers["Cache-Control"]

    def test_files_of_ours_may_be_kept(self, staff_browser):
        answer = staff_browser.get("/static/accounts/link.js")
        assert answer.status_code == 200
        assert "no-store" not in answer.headers.get("Cache-Control", "")
        assert policy_in(answer) == NOTHING

    def test_no_page_runs_scripts_that_stand_in_it(self, client, staff_browser):
        """What inline scripts there are bear a nonce; attributes that are scripts there are none."""
        pages = [(client, path) for path in ("/verify-email", "/reset-password", "/payments/return", "/api/redoc/")]
        pages += [(client, "/api/docs/"), (client, "/admin/login/")]
        pages += [(staff_browser, path) for path in ("/admin/", "/admin/accounts/user/", "/admin/pools/pool/add/")]
        for browser, path in pages:
            page = browser.get(path, headers={"Accept": "text/html"}).content.decode()
            scripts = re.findall(r"<script([^>]*)>", page)
            assert [one for one in scripts if "src=" not in one and "nonce=" not in one] == [], path
            assert re.findall(r"<[a-z][^>]*\son[a-z]+=", page) == [], path
            assert "javascript:" not in page, path


def test_hsts_is_sent_over_https_alone(client, settings):
    settings.SECURE_HSTS_SECONDS = 31536000
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = settings.SECURE_HSTS_PRELOAD = True
    assert "Strict-Transport-Security" not in client.get("/api/v1/pools").headers
    answer = client.get("/api/v1/pools", secure=True)
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"


def test_cookies_of_the_back_office_are_for_it_alone(client):
    answer = client.get("/admin/login/")
    for cookie in answer.cookies.values():
        assert cookie["samesite"] in ("Strict", "Lax")
        assert cookie["httponly"] or cookie.key == "csrftoken"
