"""Reading a body: JSON alone, and only JSON that means one thing.

Refused as PARSE_ERROR besides plain syntax errors: a name given twice (readers differ on which counts), NaN and
infinities, text that is not Unicode (a lone surrogate cannot be stored), and nesting deep enough to hurt.
"""

import json
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

MAX_DEPTH = 32


class StrictJSONParser(BaseParser):
    """`application/json`, in UTF-8."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        return parse_json(stream.read())


def parse_json(raw: bytes) -> Any:
    """The value of a JSON text. Raises `ParseError`."""
    try:
        text = raw.decode("utf-8")
        if _depth(text) > MAX_DEPTH:
            raise ParseError
        value = json.loads(text, object_pairs_hook=_once_each, parse_constant=_refuse)
        if "\\u" in text:
            # Only an escape can smuggle in half a character.
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise ParseError from error
    return value


def _depth(text: str) -> int:
    """The deepest nesting, counting brackets inside strings too: more than anybody needs is refused either way."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return 0
    deepest = depth = 0
    for character in text:
        if character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name occurs twice")
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
