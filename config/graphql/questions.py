"""What came in: a question as text, or by the SHA-256 of a text that is known here, with its variables."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from config.errors import invalid
from config.graphql.limits import LIMITS, TooComplex

HASH = re.compile(r"[0-9a-f]{64}")
KNOWN = ("query", "variables", "operationName", "extensions")
ONE_AT_A_TIME = "Ask one question at a time: the body must be an object."


@dataclass(frozen=True)
class Question:
    """`text` is None where only the hash came; `sha256` is None where only the text did."""

    text: str | None
    sha256: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    operation_name: str | None = None


def read_question(body: Any) -> Question:
    """The question in a JSON body. Raises VALIDATION_ERROR; several questions at once are refused as well."""
    if not isinstance(body, Mapping):
        raise invalid("non_field_errors", ONE_AT_A_TIME)
    for name in body:
        if name not in KNOWN:
            raise invalid(str(name)[:50], "This field is not known.")
    text, variables = body.get("query"), body.get("variables")
    name, extensions = body.get("operationName"), body.get("extensions")
    if not isinstance(text, str | None):
        raise invalid("query", "Must be a text.")
    if text is not None and len(text) > LIMITS.characters:
        raise TooComplex("characters", LIMITS.characters)
    if not isinstance(variables, Mapping | None):
        raise invalid("variables", "Must be an object.")
    if not isinstance(name, str | None):
        raise invalid("operationName", "Must be a text.")
    if not isinstance(extensions, Mapping | None):
        raise invalid("extensions", "Must be an object.")
    sha256 = _hash_in(extensions or {})
    if not text and sha256 is None:
        raise invalid("query", "Say what you ask for.")
    return Question(text or None, sha256, variables or {}, name)


def _hash_in(extensions: Mapping[str, Any]) -> str | None:
    """Of an automatic persisted query, version 1. Other extensions are for others."""
    persisted = extensions.get("persistedQuery")
    if persisted is None:
        return None
    found = persisted.get("sha256Hash") if isinstance(persisted, Mapping) else None
    if not isinstance(found, str) or not HASH.fullmatch(found) or persisted.get("version") != 1:
        raise invalid("extensions", "persistedQuery takes version 1 and the SHA-256 of the query in hexadecimal.")
    return found
