"""The local issuer is as strict as a real one: else what passes against it would prove little."""

import time

import jwt
import pytest

from config.local.oidc.issuer import Issuer, Person, Refused, challenge_of

CALLBACK = "http://127.0.0.1:8000/callback"
VERIFIER = "v" * 43
ASKED = {
    "client_id": "me", "redirect_uri": CALLBACK, "response_type": "code", "scope": "openid email", "nonce": "n",
    "code_challenge": challenge_of(VERIFIER), "code_challenge_method": "S256",
}  # fmt: skip


@pytest.fixture(scope="module")
def one():
    return Issuer("http://127.0.0.1:1", "me", "secret", [CALLBACK])


@pytest.fixture
def issuer(one):
    one.faults = set()
    return one


def redeemed(issuer, code, *, client=("me", "secret"), **changed):
    asked = {
        "grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER,
    } | changed  # fmt: skip
    return issuer.redeem(asked, *client)


def test_the_challenge_is_that_of_the_rfc():
    """RFC 7636, appendix B."""
    assert challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_a_code_becomes_a_token_that_its_keys_verify(issuer):
    token = redeemed(issuer, issuer.grant(ASKED, Person("ada", "ada@example.test")))["id_token"]

    [key] = issuer.keys()["keys"]
    claims = jwt.decode(token, jwt.PyJWK(key), algorithms=["RS256"], audience="me", issuer=issuer.url)
    assert (claims["sub"], claims["nonce"], claims["email_verified"]) == ("ada", "n", True)
    assert "d" not in key


@pytest.mark.parametrize(
    "changed",
    [
        {"client_id": "other"}, {"redirect_uri": "https://evil.test"}, {"response_type": "token"}, {"scope": "email"},
        {"code_challenge_method": "plain"}, {"code_challenge": ""},
    ],
)  # fmt: skip
def test_a_request_it_would_show_no_page_for_gets_no_code(issuer, changed):
    with pytest.raises(Refused):
        issuer.grant(ASKED | changed, Person("ada"))


@pytest.mark.parametrize(
    "changed",
    [
        {"code": "x"}, {"redirect_uri": "https://evil.test"}, {"code_verifier": "w" * 43}, {"code_verifier": ""},
        {"grant_type": "password"}, {"client": ("me", "wrong")}, {"client": ("other", "secret")},
    ],
)  # fmt: skip
def test_a_code_is_for_who_asked_for_it(issuer, changed):
    code = issuer.grant(ASKED, Person("ada"))
    with pytest.raises(Refused):
        redeemed(issuer, changed.pop("code", code), **changed)


def test_a_code_is_good_once(issuer):
    code = issuer.grant(ASKED, Person("ada"))
    redeemed(issuer, code)

    with pytest.raises(Refused):
        redeemed(issuer, code)


def test_a_code_is_good_for_a_minute(issuer, monkeypatch):
    code = issuer.grant(ASKED, Person("ada"))
    later = time.time() + 61
    monkeypatch.setattr("config.local.oidc.issuer.time.time", lambda: later)

    with pytest.raises(Refused):
        redeemed(issuer, code)


def test_a_new_key_takes_the_place_of_the_old(issuer):
    [before] = issuer.keys()["keys"]
    issuer.rotate()
    [after] = issuer.keys()["keys"]

    assert (before["kid"] == after["kid"], before["n"] == after["n"]) == (False, False)
