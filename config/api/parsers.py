"""Reading a body: JSON alone, and only JSON that means one thing.

Refused as PARSE_ERROR besides plain syntax errors: a name given twice (readers differ on which counts), NaN and
infinities, numbers past any column, text that is not Unicode (a lone surrogate cannot be stored), and what is deep,
long or wide enough to hurt before a field has looked at it.
"""

import json
import re
from collections.abc import Collection, Mapping
from math import isfinite
from typing import IO, Any, NoReturn

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

MAX_DEPTH = 32
# Far more than any list of ours takes; a field counts only after it has looked at each.
MAX_ITEMS = 1_000
# Names and items of the whole body, all levels together.
MAX_NODES = 20_000
# A bigint has nineteen digits and a sign.
MAX_DIGITS = 20
NO_BRACKETS = re.compile(r"[^\[\]{}]+")


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
        if text.count(",") > MAX_NODES or _depth(text) > MAX_DEPTH:
            raise ParseError
        value = json.loads(
            text, object_pairs_hook=_once_each, parse_constant=_refuse, parse_int=_whole, parse_float=_fraction
        )
        if text.count(",") >= MAX_ITEMS:
            _refuse_crowds(value)
        if "\\u" in text:
            # Only an escape can smuggle in half a character.
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise ParseError from error
    return value


def _depth(text: str) -> int:
    """The deepest nesting, counting brackets inside strings too: more than anybody needs is refused either way."""
    opened = text.count("[") + text.count("{")
    if opened <= MAX_DEPTH or opened > MAX_NODES:
        return 0 if opened <= MAX_DEPTH else opened
    deepest = depth = 0
    for character in NO_BRACKETS.sub("", text):
        depth += 1 if character in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name occurs twice")
    return found


def _whole(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError("a number past any column")
    return int(digits)


def _fraction(digits: str) -> float:
    value = float(digits)
    if not isfinite(value):
        raise ValueError("a number past any column")
    return value


def _refuse_crowds(value: Any) -> None:
    """Stops as soon as there is too much."""
    waiting, nodes = [value], 0
    while waiting:
        node = waiting.pop()
        inside: Collection[Any] = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
        nodes += len(inside)
        if nodes > MAX_NODES or (isinstance(node, list) and len(node) > MAX_ITEMS):
            raise ValueError("more than anybody needs")
        waiting.extend(one for one in inside if isinstance(one, dict | list))


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
