"""Example values, in one place: what a field of this name looks like in a documented call or answer.

A name says it (`team`, `paid_at`, `amount_cents`), else the schema of the field does. Where a serializer means
something else by a name it says so itself:

    class FallbackBody(serializers.Serializer):
        examples = {"teams": ["KC", "BUF"]}

An example of a body holds what has to be sent, and whatever the serializer has an example for.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

Schema = Mapping[str, Any]

UUID = "0b8b8b5e-6b1c-4c43-9d3c-6a3f0e0d7b11"
INSTANT = "2026-09-10T00:20:00Z"
DAY = "2026-09-01"
PASSWORD = "correct horse battery staple"

# By name; of several values the first that the field takes.
FACTS: Mapping[str, tuple[Any, ...]] = MappingProxyType(
    {
        "account": (1, "820", "Liabilities:Prize pots"),
        "address": ("203.0.113.7",),
        "alive_after": (41,),
        "away": ("BUF",),
        "away_score": (17,),
        "begin": ("/api/v1/auth/google/begin",),
        "booked_for": ("payment 1",),
        "by": ("Ann", 1),
        "capacity": (100,),
        "charge_id": ("ch_3PqExample",),
        "checkout_url": ("https://checkout.stripe.com/c/pay/cs_example",),
        "client_secret": ("pi_3PqExample_secret_example",),
        "code": ("KC",),
        "code_challenge": ("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",),
        "competition": ("nfl-2026",),
        "content_base64": ("ZGF0ZSx0ZXh0LGFtb3VudAo=",),
        "content_type": ("image/png",),
        "countries": (["US", "CA"],),
        "country": ("US",),
        "currency": ("usd",),
        "current_password": (PASSWORD,),
        "current_round": (3,),
        "cursor": ("WyIzIiwxMl0:1rExample",),
        "date_of_birth": ("1990-04-01",),
        "day": (DAY, "2026-09"),
        "description": ("Everybody picks one team a week.",),
        "digest": ("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",),
        "display_name": ("Ann",),
        "eliminated_round": (3,),
        "email": ("ann@example.com",),
        "entries_active": (41,),
        "entries_total": (64,),
        "entry_fee_cents": (5000,),
        "file_name": ("statement.csv",),
        "first_day": (DAY,),
        "first_round": (1,),
        "first_round_number": (1,),
        "home": ("KC",),
        "home_score": (24,),
        "last_day": ("2026-09-30",),
        "last_round": (18,),
        "last_round_number": (3,),
        "legal_name": ("Ann Example",),
        "limit": (20,),
        "locks_at": (INSTANT,),
        "logo_url": ("/api/v1/pools/1/logo",),
        "max_entries_per_user": (3,),
        "merkle_root": ("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",),
        "minimum_age": (18,),
        "name": ("Survivor 2026",),
        "new_password": ("another horse battery staple",),
        "next_cursor": ("WyIzIiwxMl0:1rExample",),
        "nonce": ("5f2b8c0e9d7a4f13",),
        "note": ("Agreed by phone.",),
        "number": (1,),
        "object_key": ("pi_3PqExample",),
        "page": (1,),
        "password": (PASSWORD,),
        "pay_within_hours": (72,),
        "picks_per_round": (1,),
        "player": (1, "Ann"),
        "prefix": ("ol_a1b2c3d4",),
        "provider": ("stripe",),
        "provider_reference": ("pi_3PqExample",),
        "rank": (1,),
        "reason": ("Agreed by phone.",),
        "reference": ("BANK-2026-1234",),
        "refresh": ("example-refresh-token",),
        "region": ("CA",),
        "request_id": (UUID,),
        "reuse_limit": (1,),
        "round": (3,),
        "rounds_survived": (3,),
        "season": ("2026",),
        "secret": ("ol_a1b2c3d4_example-secret",),
        "sentence": ("One loss puts an entry out.",),
        "sha256": ("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",),
        "share": (0.25,),
        "signature": ("c2lnbmF0dXJlLW9mLXRoZS1zbGlw",),
        "team": ("KC",),
        "teams": (["KC", "BUF"],),
        "teams_used": (["KC", "BUF"],),
        "time_zone": ("America/New_York",),
        "timestamp": ("2026-09-10T00:20:00.000Z",),
        "token": ("example-token-from-the-mail",),
        "user_agent": ("Mozilla/5.0",),
        "verifier": ("example-verifier-that-began-the-sign-in-0123456789",),
    }
)  # fmt: skip
# By the end of the name.
ENDINGS: tuple[tuple[str, Any], ...] = (
    ("_cents", 5000), ("_at", INSTANT), ("_on", DAY), ("_by", 1), ("_url", "https://pools.example.com/"),
    ("_name", "Ann"),
)  # fmt: skip
OF_FORMAT: Mapping[str, Any] = MappingProxyType(
    {
        "date-time": INSTANT,
        "date": DAY,
        "uuid": UUID,
        "email": "ann@example.com",
        "uri": "https://pools.example.com/",
        "ipv4": "203.0.113.7",
        "binary": "…",
    }
)
OF_TYPE: Mapping[str, Any] = MappingProxyType(
    {"string": "text", "integer": 1, "number": 1, "boolean": True, "null": None, "object": {}, "array": []}
)
# Deeper nothing is shown.
DEEPEST = 8


class Examples:
    """Example values for the schemas of one document."""

    def __init__(self, components: Mapping[str, Schema]) -> None:
        self.components = components

    def of(self, schema: Schema, name: str = "", *, whole: bool = True, depth: int = 0) -> Any:
        """A value of this schema. With `whole` all its fields, else those that a call has to bring."""
        schema = self._plain(schema)
        for given in ("example", "const", "default" if not whole else "const"):
            if given in schema:
                return schema[given]
        if schema.get("examples"):
            return schema["examples"][0]
        for fact in (*FACTS.get(name, ()), *(value for ending, value in ENDINGS if name.endswith(ending))):
            if fits(fact, schema):
                return fact
        return self._made(schema, name, whole=whole, depth=depth)

    def _made(self, schema: Schema, name: str, *, whole: bool, depth: int) -> Any:
        if "enum" in schema:
            return next((value for value in schema["enum"] if value not in (None, "")), None)
        for choice in ("oneOf", "anyOf"):
            # Beside properties it only says which of them go together.
            if choice in schema and "properties" not in schema:
                return self.of(schema[choice][0], name, whole=whole, depth=depth + 1)
        kind = _types(schema)[0]
        if kind == "object":
            return self._object(schema, whole=whole, depth=depth)
        if kind == "array":
            wanted = schema.get("items", {})
            return [self.of(wanted, _one(name), whole=whole, depth=depth + 1)] if depth < DEEPEST else []
        if kind == "integer" or kind == "number":
            return max(OF_TYPE[kind], schema.get("minimum", 1))
        return OF_FORMAT.get(str(schema.get("format")), OF_TYPE[kind])

    def _object(self, schema: Schema, *, whole: bool, depth: int) -> dict[str, Any]:
        required = set(schema.get("required", ()))
        return {
            name: self.of(inner, name, whole=whole, depth=depth + 1)
            for name, inner in schema.get("properties", {}).items()
            if whole or name in required or "examples" in inner
        }

    def _plain(self, schema: Schema) -> Schema:
        """With references followed and parts put together."""
        if "$ref" in schema:
            rest = {key: value for key, value in schema.items() if key != "$ref"}
            return {**self._plain(self.components[str(schema["$ref"]).rsplit("/", 1)[-1]]), **rest}
        if "allOf" not in schema:
            return schema
        merged: dict[str, Any] = {}
        for part in (*schema["allOf"], {key: value for key, value in schema.items() if key != "allOf"}):
            plain = self._plain(part)
            properties = {**merged.get("properties", {}), **plain.get("properties", {})}
            required = [*merged.get("required", ()), *plain.get("required", ())]
            merged = {**merged, **plain}
            if properties:
                merged.update(properties=properties, required=required)
        return merged


def fits(value: Any, schema: Schema) -> bool:
    """Whether the value is one of this schema, as far as single values go."""
    names = {str: "string", bool: "boolean", int: "integer", float: "number", list: "array", dict: "object"}
    if names[type(value)] not in _types(schema) or ("enum" in schema and value not in schema["enum"]):
        return False
    if isinstance(value, str):
        return _text_fits(value, schema)
    if isinstance(value, list):
        items = schema.get("items", {})
        return "$ref" not in items and all(fits(item, items) for item in value)
    return not isinstance(value, int | float) or (schema.get("minimum", value) <= value <= schema.get("maximum", value))


def _text_fits(value: str, schema: Schema) -> bool:
    model = OF_FORMAT.get(str(schema.get("format")))
    return (
        schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value))
        and re.search(schema.get("pattern", ""), value) is not None
        and (model is None or _shape(value) == _shape(model))
    )


def _shape(text: str) -> str:
    """`2026-09-01` and `1990-04-01` are alike."""
    return re.sub(r"\w+", "x", re.sub(r"\.\d+", "", text))


def _types(schema: Schema) -> list[str]:
    said = schema.get("type", "object" if "properties" in schema else "string")
    return list(said) if isinstance(said, list) else [str(said)]


def _one(name: str) -> str:
    return name.removesuffix("s")
