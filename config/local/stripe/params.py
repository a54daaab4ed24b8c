"""Reading an endpoint's parameters: each by its type, and at the end nothing may be left over.

Stripe refuses parameters it does not know, and so does the double. It also refuses those of Stripe's that it does
not carry out, instead of ignoring them: a setting that seems to work here and bites in production is worse than none.
"""

import re
from collections.abc import Collection, Mapping
from typing import TypeVar
from urllib.parse import urlsplit

from config.local.stripe.errors import InvalidParameter
from config.local.stripe.forms import Tree

T = TypeVar("T")

METADATA_KEYS = 50
METADATA_KEY_LENGTH = 40
METADATA_VALUE_LENGTH = 500
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
BOUNDS = {"gt", "gte", "lt", "lte"}


class Params:
    def __init__(self, tree: Tree, path: str = "") -> None:
        self._tree = tree
        self._path = path
        self._known: set[str] = set()
        self._children: list[Params] = []

    def __contains__(self, name: str) -> bool:
        return name in self._tree

    def full_name(self, name: str) -> str:
        return f"{self._path}[{name}]" if self._path else name

    def text(self, name: str, *, limit: int = 5000, choices: Collection[str] = ()) -> str | None:
        self._known.add(name)
        value = self._tree.get(name)
        if value is None:
            return None
        full = self.full_name(name)
        if isinstance(value, dict):
            raise InvalidParameter(f"Invalid string: {full} is a hash", param=full)
        if value == "":
            raise InvalidParameter(
                f"You passed an empty string for '{full}'. We assume empty values are an attempt to unset a parameter; "
                f"however '{full}' cannot be unset. You should remove '{full}' from your request or supply a "
                "non-empty value.",
                code="parameter_invalid_empty",
                param=full,
            )
        if len(value) > limit:
            raise InvalidParameter(
                f"Invalid string: {value[:10]}…; must be at most {limit} characters",
                code="parameter_invalid_string",
                param=full,
            )
        if choices and value not in choices:
            raise InvalidParameter(f"Invalid {full}: must be one of {', '.join(sorted(choices))}", param=full)
        return value

    def required_text(self, name: str, *, limit: int = 5000, choices: Collection[str] = ()) -> str:
        return self._required(name, self.text(name, limit=limit, choices=choices))

    def integer(self, name: str, *, low: int | None = None, high: int | None = None) -> int | None:
        value = self.text(name)
        if value is None:
            return None
        full = self.full_name(name)
        if not re.fullmatch(r"[+-]?[0-9]{1,18}", value):
            raise InvalidParameter(f"Invalid integer: {value}", code="parameter_invalid_integer", param=full)
        number = int(value)
        if low is not None and number < low:
            raise InvalidParameter(
                f"This value must be greater than or equal to {low}.", code="parameter_invalid_integer", param=full
            )
        if high is not None and number > high:
            raise InvalidParameter(
                f"This value must be less than or equal to {high}.", code="parameter_invalid_integer", param=full
            )
        return number

    def required_integer(self, name: str, *, low: int | None = None, high: int | None = None) -> int:
        return self._required(name, self.integer(name, low=low, high=high))

    def flag(self, name: str) -> bool | None:
        value = self.text(name)
        if value is not None and value not in ("true", "false"):
            raise InvalidParameter(f"Invalid boolean: {value}", param=self.full_name(name))
        return None if value is None else value == "true"

    def url(self, name: str) -> str | None:
        """An absolute http or https address; `{CHECKOUT_SESSION_ID}` may stand in it."""
        value = self.text(name)
        if value is not None and not _is_url(value):
            raise InvalidParameter("Not a valid URL", code="url_invalid", param=self.full_name(name))
        return value

    def email(self, name: str) -> str | None:
        value = self.text(name, limit=512)
        if value is not None and not EMAIL.fullmatch(value):
            raise InvalidParameter(f"Invalid email address: {value}", code="email_invalid", param=self.full_name(name))
        return value

    def section(self, name: str) -> "Params":
        """A nested hash; empty where it was not sent."""
        self._known.add(name)
        value = self._tree.get(name, {})
        if isinstance(value, str):
            raise InvalidParameter("Invalid object", param=self.full_name(name))
        return self._child(value, self.full_name(name))

    def items(self, name: str) -> list["Params"]:
        """A list of hashes."""
        parts = []
        for position, value in self._positions(name):
            full = f"{self.full_name(name)}[{position}]"
            if isinstance(value, str):
                raise InvalidParameter("Invalid object", param=full)
            parts.append(self._child(value, full))
        return parts

    def texts(self, name: str) -> list[str]:
        """A list of strings."""
        values = []
        for position, value in self._positions(name):
            if isinstance(value, dict):
                raise InvalidParameter("Invalid string", param=f"{self.full_name(name)}[{position}]")
            values.append(value)
        return values

    def metadata(self, before: Mapping[str, str] | None = None) -> dict[str, str]:
        """The metadata after this request: given keys join `before`, an empty value removes a key, `""` removes all."""
        given = self._tree.get("metadata", {})
        self._known.add("metadata")
        if given == "":
            return {}
        if isinstance(given, str):
            raise InvalidParameter("Invalid object", param=self.full_name("metadata"))
        after = dict(before or {})
        for key, value in given.items():
            after[key] = self._metadata_value(key, value)
        kept = {key: value for key, value in after.items() if value}
        if len(kept) > METADATA_KEYS:
            raise InvalidParameter(
                f"You can only have {METADATA_KEYS} metadata keys.", param=self.full_name("metadata")
            )
        return kept

    def window(self, name: str) -> dict[str, int]:
        """A time filter: one instant, or any of gt, gte, lt, lte."""
        if isinstance(self._tree.get(name), str):
            return {"eq": self.required_integer(name)}
        bounds = self.section(name)
        read = {bound: bounds.integer(bound) for bound in BOUNDS}
        return {bound: value for bound, value in read.items() if value is not None}

    def without_effect(self, *names: str) -> None:
        """Parameters that change nothing the double shows or does: looks, wording, choices of card networks."""
        self._known.update(names)

    def finish(self) -> None:
        """Refuses whatever nobody asked for."""
        unknown = self._unknown()
        if unknown:
            plural = "s" if len(unknown) > 1 else ""
            raise InvalidParameter(
                f"Received unknown parameter{plural}: {', '.join(unknown)} (unknown to Stripe, or to its double)",
                code="parameter_unknown",
                param=unknown[0],
            )

    def _unknown(self) -> list[str]:
        own = [self.full_name(name) for name in self._tree if name not in self._known]
        return own + [name for child in self._children for name in child._unknown()]

    def _child(self, tree: Tree, path: str) -> "Params":
        child = Params(tree, path)
        self._children.append(child)
        return child

    def _positions(self, name: str) -> list[tuple[str, "str | Tree"]]:
        self._known.add(name)
        value = self._tree.get(name, {})
        if isinstance(value, str) or not all(position.isdigit() for position in value):
            raise InvalidParameter("Invalid array", param=self.full_name(name))
        return sorted(value.items(), key=lambda item: int(item[0]))

    def _required(self, name: str, value: T | None) -> T:
        if value is None:
            full = self.full_name(name)
            raise InvalidParameter(f"Missing required param: {full}.", code="parameter_missing", param=full)
        return value

    def _metadata_value(self, key: str, value: "str | Tree") -> str:
        full = f"{self.full_name('metadata')}[{key}]"
        if isinstance(value, dict):
            raise InvalidParameter("Metadata values must be strings", param=full)
        if len(key) > METADATA_KEY_LENGTH:
            raise InvalidParameter(
                f"Metadata keys can have up to {METADATA_KEY_LENGTH} characters, and {key!r} has {len(key)}.",
                param=full,
            )
        if len(value) > METADATA_VALUE_LENGTH:
            raise InvalidParameter(
                f"Metadata values can have up to {METADATA_VALUE_LENGTH} characters, and this one has {len(value)}.",
                param=full,
            )
        return value


def _is_url(value: str) -> bool:
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc) and not re.search(r"[\s<>\"]", value)
