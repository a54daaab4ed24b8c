"""Providers by settings: Google, Apple with a secret of our own making, and what each is sent."""

import json

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from accounts.oidc.discovery import Metadata
from accounts.oidc.failures import WrongAnswer
from accounts.oidc.protocol import read_identity
from accounts.oidc.providers import Provider, provider_named, providers
from config.env import BadEnvironment, read
from config.errors import NotFound

ISSUER = {"id": "club", "name": "Club", "issuer": "https://club.test", "client_id": "c", "client_secret": "s"}


@pytest.fixture
def private_key():
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def apple(settings, private_key):
    pem = private_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    settings.APPLE_CLIENT_ID, settings.APPLE_TEAM_ID, settings.APPLE_KEY_ID = "test.outlast.web", "TEAM", "KEY"
    settings.APPLE_PRIVATE_KEY = pem.strip().replace("\n", "\\n")
    return provider_named("apple")


def test_without_settings_there_is_none(settings):
    settings.OIDC_ISSUERS = []

    assert list(providers()) == []
    with pytest.raises(NotFound):
        provider_named("google")


def test_all_of_them_in_one_order(settings, apple):
    settings.GOOGLE_CLIENT_ID, settings.GOOGLE_CLIENT_SECRET = "g", "secret"
    settings.OIDC_ISSUERS = [ISSUER]

    assert [(one.id, one.issuer) for one in providers().values()] == [
        ("google", "https://accounts.google.com"), ("apple", "https://appleid.apple.com"), ("club", "https://club.test"),
    ]  # fmt: skip


def test_no_secret_is_shown_by_a_trace(settings, apple):
    settings.OIDC_ISSUERS = [ISSUER | {"client_secret": "canary"}]

    assert "canary" not in repr(provider_named("club"))
    assert "PRIVATE KEY" not in repr(apple)


def test_apples_secret_is_a_token_that_we_sign_for_minutes(db, apple, private_key):
    token = apple.secret()

    assert jwt.get_unverified_header(token)["kid"] == "KEY"
    claims = jwt.decode(token, private_key.public_key(), algorithms=["ES256"], audience="https://appleid.apple.com")
    assert (claims["iss"], claims["sub"], claims["exp"] - claims["iat"]) == ("TEAM", "test.outlast.web", 300)
    assert apple.posts_back


class TestClaims:
    """What a token that is signed well may still say."""

    @pytest.fixture
    def told(self, monkeypatch, private_key):
        provider = Provider("club", "Club", "https://club.test", "c", "s")
        metadata = Metadata("https://club.test", "", "", "", False)
        public = jwt.PyJWK(json.loads(jwt.algorithms.ECAlgorithm.to_jwk(private_key.public_key())))
        monkeypatch.setattr("accounts.oidc.protocol.key_for", lambda metadata, key_id: public)

        def tell(without=(), **claims):
            now = 2_000_000_000
            said = {
                "iss": "https://club.test", "aud": "c", "sub": "ada", "iat": 1_700_000_000, "exp": now, "nonce": "n",
            } | claims  # fmt: skip
            kept = {name: value for name, value in said.items() if name not in without}
            token = jwt.encode(kept, private_key, algorithm="ES256")
            return read_identity(provider, metadata, token, nonce="n")

        return tell

    @pytest.mark.parametrize(
        ("said", "is_verified"),
        [(True, True), ("true", True), (False, False), ("false", False), ("yes", False), (None, False), (1, False)],
    )
    def test_an_address_is_verified_when_it_says_so(self, told, said, is_verified):
        assert told(email="ada@example.test", email_verified=said).email_verified is is_verified

    def test_addresses_are_lower_case_and_texts(self, told):
        assert told(email=" Ada@Example.TEST ").email == "ada@example.test"
        assert told(email=["ada@example.test"]).email == ""

    @pytest.mark.parametrize(
        "address",
        # The sign of Kelvin, the long s and the dotted I become other people's letters when they are made small.
        ["\u212aate@example.test", "\u017fam@example.test", "\u0130da@example.test", "ada@ex\u00e4mple.test",
         "a\x00da@example.test", "ada@example.test\nx", "\ud800@example.test", "a" * 250 + "@example.test"],
    )  # fmt: skip
    def test_an_address_that_could_become_another_is_none(self, told, address):
        assert told(email=address, email_verified=True).email == ""

    @pytest.mark.parametrize(
        ("name", "shown"),
        [(" Ada \x00\u202eL.\n", "Ada L."), ("\ud800", ""), (7, ""), (None, ""), ("x" * 10_000, "x" * 200)],
    )
    def test_of_a_name_there_stays_what_can_be_shown(self, told, name, shown):
        assert told(name=name).name == shown

    @pytest.mark.parametrize(
        ("moment", "known"),
        [(1_700_000_000, 1_700_000_000), (1.5, 1), (0, 0), (-1, None), (True, None), ("1700000000", None), (None, None),
         (float("nan"), None), (float("inf"), None), (10**30, None)],
    )  # fmt: skip
    def test_when_they_proved_it_there_is_a_moment_or_unknown(self, told, moment, known):
        assert told(auth_time=moment).proved_at == known

    @pytest.mark.parametrize("claim", ["iss", "aud", "sub", "iat", "exp", "nonce"])
    def test_each_claim_must_be_there(self, told, claim):
        with pytest.raises(WrongAnswer):
            told(without=[claim])

    @pytest.mark.parametrize("subject", ["", "a" * 256, "a\x00b", "a\nb", 7, None])
    def test_a_subject_is_a_name(self, told, subject):
        with pytest.raises(WrongAnswer):
            told(sub=subject)

    @pytest.mark.parametrize(
        ("audience", "party", "is_ours"),
        [(["c"], None, True), (["c", "d"], "c", True), (["c", "d"], "d", False), (["c", "d"], None, False),
         ("c", "d", False), (["d"], None, False)],
    )  # fmt: skip
    def test_a_token_for_several_says_for_whom_it_was_made(self, told, audience, party, is_ours):
        claims = {"aud": audience} | ({"azp": party} if party else {})
        if is_ours:
            assert told(**claims).subject == "ada"
        else:
            with pytest.raises(WrongAnswer):
                told(**claims)


class TestSettings:
    @pytest.mark.parametrize(
        "text",
        [
            "{", "{}", "[1]", '[{"id": "a"}]',
            '[{"id":"A","name":"A","issuer":"https://a","client_id":"a","client_secret":"a"}]',
            '[{"id":"google","name":"A","issuer":"https://a","client_id":"a","client_secret":"a"}]',
            '[{"id":"a","name":"A","issuer":"ftp://a","client_id":"a","client_secret":"canary"}]',
            '[{"id":"a","name":"A","issuer":"https://a","client_id":"a","client_secret":""}]',
        ],
    )  # fmt: skip
    def test_issuers_that_cannot_be_are_refused_without_their_secrets(self, text):
        with pytest.raises(BadEnvironment) as refused:
            read({"OUTLAST_ENV": "test", "OIDC_ISSUERS": text})

        [fault] = [one for one in refused.value.faults if one.startswith("OIDC_ISSUERS")]
        assert "canary" not in fault

    def test_a_provider_is_set_up_as_a_whole(self):
        with pytest.raises(BadEnvironment) as refused:
            read({"OUTLAST_ENV": "test", "APPLE_CLIENT_ID": "a", "GOOGLE_CLIENT_SECRET": "canary"})

        named = {fault.split()[0] for fault in refused.value.faults}
        assert {"APPLE_TEAM_ID", "APPLE_KEY_ID", "APPLE_PRIVATE_KEY", "GOOGLE_CLIENT_ID"} <= named
        assert "canary" not in str(refused.value)

    @pytest.mark.parametrize("text", ["/x", "https://a.test/?b=1", "https://a.test/#b", "https://b@a.test/", "x"])
    def test_returns_are_whole_addresses(self, text):
        with pytest.raises(BadEnvironment) as refused:
            read({"OUTLAST_ENV": "test", "SIGN_IN_RETURNS": text})

        assert any(fault.startswith("SIGN_IN_RETURNS") for fault in refused.value.faults)
