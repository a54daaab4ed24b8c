"""What the issuer knows: its keys, its client, the codes it gave out; and the tokens it signs."""

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

CODE_SECONDS = 60
TOKEN_SECONDS = 300
SIGNED_IN_SECONDS_AGO = 8 * 60 * 60

# What can be made to go wrong with the next token: claim by claim, or all of it.
FAULTS = frozenset(
    {
        "wrong_audience", "wrong_issuer", "wrong_nonce", "no_nonce", "expired", "future", "no_subject", "foreign_party",
        "unsigned", "foreign_key", "unknown_key", "symmetric", "public_key_as_secret", "own_key_in_header",
        "unknown_crit", "no_token", "no_json", "odd_json", "server_error", "slow", "signed_in_long_ago", "no_auth_time",
    }
)  # fmt: skip


class Refused(Exception):
    """An OAuth error, by its code."""


@dataclass(frozen=True)
class Person:
    """Whom a code stands for."""

    subject: str
    email: str = ""
    email_verified: Any = True
    name: str = ""


@dataclass(frozen=True)
class Grant:
    """One code: for whom, for which sign-in, until when."""

    person: Person
    redirect_uri: str
    challenge: str
    nonce: str
    ends_at: float
    authenticated_at: float


@dataclass
class Issuer:
    """One issuer with one client. Its state lives as long as the process."""

    url: str
    client_id: str
    client_secret: str
    redirect_uris: list[str]
    faults: set[str] = field(default_factory=set)
    grants: dict[str, Grant] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    # How clients may show their secret; Apple's way is the second alone.
    secret_ways: tuple[str, ...] = ("client_secret_basic", "client_secret_post")
    # As with Apple: clients sign their secret themselves, and this key verifies it.
    client_key: Any = None

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: dict[str, rsa.RSAPrivateKey] = {}
        self._stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.rotate()

    def rotate(self) -> None:
        """Sign with a new key from now on; the old one is gone."""
        with self._lock:
            self._keys = {secrets.token_hex(4): rsa.generate_private_key(public_exponent=65537, key_size=2048)}

    def discovery(self) -> dict[str, Any]:
        """The document at `/.well-known/openid-configuration`."""
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": list(self.secret_ways),
            "code_challenge_methods_supported": ["S256"],
            "scopes_supported": ["openid", "email", "profile"],
        }

    def keys(self) -> dict[str, Any]:
        """The public halves."""
        found = []
        for name, key in self._keys.items():
            public: dict[str, Any] = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
            found.append({**public, "kid": name, "use": "sig", "alg": "RS256"})
        return {"keys": found}

    def check_request(self, asked: dict[str, str]) -> None:
        """Refuse a request for authorization that a real issuer would not show a page for."""
        if asked.get("client_id") != self.client_id or asked.get("redirect_uri") not in self.redirect_uris:
            raise Refused("invalid_client")
        if asked.get("response_type") != "code" or "openid" not in asked.get("scope", "").split():
            raise Refused("invalid_request")
        if asked.get("code_challenge_method") != "S256" or len(asked.get("code_challenge", "")) != 43:
            raise Refused("invalid_request")

    def grant(self, asked: dict[str, str], person: Person) -> str:
        """A code for the person, who was asked just now, unless they had signed in before and need not be asked."""
        self.check_request(asked)
        code = secrets.token_urlsafe(24)
        is_asked = asked.get("prompt") == "login" or asked.get("max_age") == "0"
        long_ago = "signed_in_long_ago" in self.faults and not is_asked
        with self._lock:
            self.grants[code] = Grant(
                person,
                asked["redirect_uri"],
                asked["code_challenge"],
                asked.get("nonce", ""),
                time.time() + CODE_SECONDS,
                time.time() - (SIGNED_IN_SECONDS_AGO if long_ago else 0),
            )
        return code

    def redeem(self, asked: dict[str, str], client_id: str, client_secret: str) -> dict[str, Any]:
        """Tokens for a code, once, for whoever shows the verifier of its challenge."""
        if client_id != self.client_id or not self._is_secret(client_secret):
            raise Refused("invalid_client")
        with self._lock:
            grant = self.grants.pop(asked.get("code", ""), None)
        verifier = asked.get("code_verifier", "")
        if asked.get("grant_type") != "authorization_code" or grant is None or grant.ends_at < time.time():
            raise Refused("invalid_grant")
        if asked.get("redirect_uri") != grant.redirect_uri or challenge_of(verifier) != grant.challenge:
            raise Refused("invalid_grant")
        answer = {"access_token": secrets.token_urlsafe(24), "token_type": "Bearer", "expires_in": TOKEN_SECONDS}
        if "odd_json" in self.faults:
            return {**answer, "expires_in": {}, "scope": 7, "id_token": ["eyJ"]}
        return answer if "no_token" in self.faults else {**answer, "id_token": self.token(grant)}

    def _is_secret(self, shown: str) -> bool:
        if self.client_key is None:
            return secrets.compare_digest(shown, self.client_secret)
        try:
            claims = jwt.decode(shown, self.client_key, algorithms=["ES256"], audience=self.url)
        except jwt.PyJWTError:
            return False
        return bool(claims["sub"] == self.client_id)

    def token(self, grant: Grant) -> str:
        """The ID token of a grant, with whatever is to be wrong about it."""
        claims, faults = self._claims(grant), self.faults
        name, key = next(iter(self._keys.items()))
        if "unsigned" in faults:
            return jwt.encode(claims, "", algorithm="none", headers={"kid": name})
        if "symmetric" in faults:
            return jwt.encode(claims, self.client_secret, algorithm="HS256", headers={"kid": name})
        if "public_key_as_secret" in faults:
            return _signed_with_text(claims, name, _pem(key))
        if "own_key_in_header" in faults:
            own = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self._stranger.public_key()))
            return jwt.encode(claims, self._stranger, algorithm="RS256", headers={"kid": name, "jwk": own})
        if "unknown_crit" in faults:
            return jwt.encode(claims, key, algorithm="RS256", headers={"kid": name, "crit": ["x"], "x": 1})
        if "foreign_key" in faults:
            return jwt.encode(claims, self._stranger, algorithm="RS256", headers={"kid": name})
        if "unknown_key" in faults:
            return jwt.encode(claims, self._stranger, algorithm="RS256", headers={"kid": "nobody"})
        return jwt.encode(claims, key, algorithm="RS256", headers={"kid": name})

    def _claims(self, grant: Grant) -> dict[str, Any]:
        now, person, faults = int(time.time()), grant.person, self.faults
        claims: dict[str, Any] = {
            "iss": "https://elsewhere.test" if "wrong_issuer" in faults else self.url,
            "aud": "somebody-else" if "wrong_audience" in faults else self.client_id,
            "sub": person.subject,
            "iat": now,
            "exp": now + TOKEN_SECONDS,
            "nonce": "another" if "wrong_nonce" in faults else grant.nonce,
            "email": person.email,
            "email_verified": person.email_verified,
            "name": person.name,
            "auth_time": int(grant.authenticated_at),
        }
        if "expired" in faults:
            claims |= {"iat": now - 7200, "exp": now - 3600}
        if "future" in faults:
            claims |= {"nbf": now + 3600}
        if "foreign_party" in faults:
            claims |= {"aud": [self.client_id, "somebody-else"], "azp": "somebody-else"}
        if "no_nonce" in faults:
            del claims["nonce"]
        if "no_auth_time" in faults:
            del claims["auth_time"]
        if "no_subject" in faults:
            claims["sub"] = ""
        return claims


def _pem(key: rsa.RSAPrivateKey) -> bytes:
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, spki)


def _signed_with_text(claims: dict[str, Any], name: str, text: bytes) -> str:
    """HS256 with the public key as its secret. By hand: PyJWT refuses to."""
    head = {"alg": "HS256", "typ": "JWT", "kid": name}
    signed = ".".join(_encoded(json.dumps(part).encode()) for part in (head, claims))
    return f"{signed}.{_encoded(hmac.digest(text, signed.encode(), 'sha256'))}"


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def challenge_of(verifier: str) -> str:
    """S256 of RFC 7636."""
    return _encoded(hashlib.sha256(verifier.encode()).digest())
