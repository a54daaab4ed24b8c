"""Tokens that must not work, one of each kind an attacker would try."""

import base64
import hmac
import json
import time
from datetime import timedelta
from typing import Any
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from rest_framework_simplejwt.tokens import AccessToken

from config.encryption import key_id

RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PARTS = "eyJhbGciOiJIUzI1NiJ9.e30.x"


def claims_of(token: str) -> dict:
    return jwt.decode(token or jwt.encode({}, "k" * 64), options={"verify_signature": False})


def signed(claims: dict, *, key: Any = None, algorithm: str = "HS256", headers: dict | None = None) -> str:
    """Under our own key unless another is given; the header always names ours, so that nothing else is what fails."""
    ours = settings.SIMPLE_JWT["SIGNING_KEY"]
    return jwt.encode(claims, key or ours, algorithm=algorithm, headers={"kid": key_id(ours), **(headers or {})})


def without(claims: dict, name: str) -> dict:
    return {claim: value for claim, value in claims.items() if claim != name}


def unsigned(claims: dict) -> str:
    def part(value) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    kid = key_id(settings.SIMPLE_JWT["SIGNING_KEY"])
    return f"{part({'alg': 'none', 'typ': 'JWT', 'kid': kid})}.{part(claims)}."


def forged(token: str, other: str) -> dict[str, str]:
    """Kind → forged token, made of a good one and of a good one of the other type."""
    good = claims_of(token)
    past, future = int(time.time()) - 600, int(time.time()) + 3600
    jwk = {"kty": "oct", "k": base64.urlsafe_b64encode(b"k" * 64).decode()}
    return {
        "no algorithm": unsigned(good),
        "another key": signed(good, key="another key that is long enough to be taken for one" * 2),
        "an empty key's worth": signed(good, key="k" * 64, headers={"jwk": jwk}),
        "a key that nobody knows": signed(good, headers={"kid": "00000000"}),
        "a key id that is none": with_header(good, {"kid": ["a", 1]}),
        "without a key id": with_header(good, {}),
        "a public key's algorithm": rsa_signed(good),
        "another algorithm of the same key": signed(good, algorithm="HS512"),
        "the key of something else": signed(good, key=settings.SECRET_KEY),
        "expired": signed(good | {"exp": past}),
        "not yet valid": signed(good | {"nbf": future}),
        "without an end": signed(without(good, "exp")),
        "without an id": signed(without(good, "jti")),
        "without a session": signed(without(good, "sid")),
        "a session that is none": signed(good | {"sid": "1; DROP TABLE"}),
        "another session": signed(good | {"sid": uuid4().hex}),
        "an end beyond time": signed(good | {"exp": 10**18}),
        "the other type": other,
        "of no type": signed(without(good, "token_type")),
        "another audience": signed(good | {"aud": "other-api"}),
        "without an audience": signed(without(good, "aud")),
        "another issuer": signed(good | {"iss": "mallory"}),
        "without an issuer": signed(without(good, "iss")),
        "an unknown critical header": signed(good, headers={"crit": ["b64"], "b64": True}),
        "truncated": token[:-8],
        "without a signature": token.rpartition(".")[0] + ".",
        "four segments": f"{token}.{token.rpartition('.')[2]}",
        "two segments": token.rpartition(".")[0],
        "changed claims": tampered(token),
        "text": "nonsense",
        "dots": "...",
    }


def with_header(claims: dict, header: dict) -> str:
    """Signed under our key by hand, with a header that PyJWT would not write."""

    def part(value: bytes) -> str:
        return base64.urlsafe_b64encode(value).rstrip(b"=").decode()

    said = ".".join(part(json.dumps(value).encode()) for value in ({"alg": "HS256", "typ": "JWT"} | header, claims))
    key = settings.SIMPLE_JWT["SIGNING_KEY"].encode()
    return f"{said}.{part(hmac.digest(key, said.encode(), 'sha256'))}"


def rsa_signed(claims: dict) -> str:
    """RS256 in the header: whoever took our key for a public one would be asked to verify with it."""
    return signed(claims, key=RSA_KEY, algorithm="RS256")


def tampered(token: str) -> str:
    head, body, signature = (token or PARTS).split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    other = base64.urlsafe_b64encode(json.dumps(claims | {"user_id": "1", "tv": 2}).encode()).rstrip(b"=").decode()
    return f"{head}.{other}.{signature}"


def forged_refreshes(tokens: dict) -> dict[str, str]:
    return forged(tokens.get("refresh", ""), tokens.get("access", ""))


def forged_accesses(tokens: dict) -> dict[str, str]:
    good = claims_of(tokens.get("access", ""))
    plain = AccessToken()
    plain.set_exp(lifetime=timedelta(minutes=5))
    return forged(tokens.get("access", ""), tokens.get("refresh", "")) | {
        "of somebody else": signed(good | {"user_id": "1"}),
        "of nobody": signed(without(good, "user_id")),
        "of a person that is no number": signed(good | {"user_id": "x"}),
        "of a person beyond numbers": signed(good | {"user_id": str(2**70)}),
        "an older version": signed(good | {"tv": 0}),
        "a version that is none": signed(good | {"tv": None}),
        "without a version": signed(without(good, "tv")),
        "simplejwt's own": str(plain),
        "100 kB": "A" * 100_000,
    }
