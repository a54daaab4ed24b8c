"""What nobody should send: each field of a body as something else, and whole bodies that are none."""

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

DEEP = 40
LONG = 20_000
MANY = 2_000

# Of other types, monstrous, strange letters, nested: instead of whatever a field holds.
INSTEAD: dict[str, Any] = {
    "null": None,
    "true": True,
    "a text": "something else",
    "an empty text": "",
    "blanks": "   ",
    "a number": 7,
    "a negative number": -1,
    "a fraction": 1.5,
    "zero": 0,
    "past an integer": 2**31,
    "past a bigint": 2**63,
    "past any column": 10**19,
    "a list": [1],
    "an empty list": [],
    "an object": {"a": 1},
    "an empty object": {},
    "a list of nothing": [None],
    "a list of lists": [[[]]],
    "a NUL": "a\x00b",
    "a lone surrogate": "\ud800",
    "turned around": "\u202etxet",
    "without width": "\u200b\u200d\ufeff",
    "beyond the basic plane": "🏈" * 10,
    "marks piled up": "e" + "\u0301" * 200,
    "other digits": "\u0661\u0662",
    "a line break": "a\r\nX-Injected: 1",
    "a formula": '=HYPERLINK("http://x")',
    "a tag": "<script>alert(1)</script>",
    "a quote": "'; DROP TABLE entries_pick; --",
    "a template": "{{ 7*7 }} %s {0}",
    "a way up": "../../etc/passwd",
    "a UUID without dashes": "0" * 12 + "4" + "0" * 3 + "8" + "0" * 15,
    "long": "x" * LONG,
    "many": ["x"] * MANY,
}
DATES = {
    "no such day": "2026-02-30",
    "year zero": "0000-01-01",
    "far away": "9999-12-31T23:59:59Z",
    "before all": "0001-01-01T00:00:00+14:00",
    "a strange zone": "2026-01-01T00:00:00+99:99",
    "a leap second": "2026-06-30T23:59:60Z",
    "a week": "2026-W27-1",
    "without dashes": "20260630",
    "a day alone": "2026-06-30",
    "without a zone": "2026-06-30T12:00:00",
    "without seconds": "2026-06-30T12:00Z",
}
# Instead of a parameter, where everything is a text.
TEXTS: dict[str, str] = {
    **{what: value for what, value in {**INSTEAD, **DATES}.items() if isinstance(value, str) and "\ud800" not in value},
    "one": "1",
    "none": "0",
    "below": "-1",
    "a sign": "+7",
    "blanks around": " 7 ",
    "in groups": "1_000",
    "a point": "7.0",
    "a power": "1e3",
    "past any column": "9" * 30,
    "true": "true",
    "yes": "yes",
    "on": "on",
    "null": "null",
    "a list of them": "1,2",
    "JSON": '{"a": [1]}',
}


@dataclass(frozen=True)
class Attack:
    """A body, and what is wrong with it. `said` is the same as a value, where it is JSON that has one meaning."""

    what: str
    raw: bytes
    said: Any = None
    is_json: bool = True


def attacks(body: Any) -> Iterator[Attack]:
    """Everything that this body is turned into."""
    yield from of_fields(body)
    yield from of_bodies(body)


def of_fields(body: Any, only: Collection[str] | None = None) -> Iterator[Attack]:
    """One field at a time is left out, or holds something else; `only` those, with what is inside of them."""
    for path in paths(body):
        if only is not None and path[0] not in only:
            continue
        name = ".".join(map(str, path))
        yield _told(f"without {name}", changed(body, path, leave_out=True))
        for what, value in {**INSTEAD, **DATES}.items():
            yield _told(f"{name} is {what}", changed(body, path, value))
    if isinstance(body, dict) and only is None:
        for name in ("id", "__proto__", "constructor", "\x00", "a" * 300, "user_id", "is_staff"):
            yield _told(f"also {name[:20]!r}", {**body, name: 1})


def of_bodies(body: Any) -> Iterator[Attack]:
    """The body as a whole is something else, or not JSON, or JSON that may be read in two ways."""
    for what, value in INSTEAD.items():
        yield _told(f"nothing but {what}", value)
    whole = json.dumps(body).encode()
    names = list(body) if isinstance(body, dict) else []
    for name in names:
        twice = whole[:-1] + f", {json.dumps(name)}: {json.dumps(body[name])}}}".encode()
        yield Attack(f"{name} twice", twice, is_json=False)
    for what, raw in {
        "cut off": whole[:-1],
        "with a tail": whole + b"{}",
        "two of it": whole + b"\n" + whole,
        "no Unicode": b'{"a": "\xff"}',
        "a mark of byte order": b"\xef\xbb\xbf" + whole,
        "UTF-16": whole.decode().encode("utf-16"),
        "not a number": b'{"a": NaN}',
        "infinite": b'{"a": 1e999}',
        "a comma too many": b'{"a": 1,}',
        "single quotes": b"{'a': 1}",
        "a comment": b'{"a": 1 /* */}',
        "deep": b"[" * DEEP + b"]" * DEEP,
        "very deep": b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
        "digits": b'{"a": ' + b"9" * 5_000 + b"}",
        "nothing but NUL": b"\x00" * 10,
        "empty": b"",
        "a name twice inside": b'{"a": {"b": 1, "b": 2}}',
    }.items():
        yield Attack(what, raw, is_json=False)


def paths(body: Any, inside: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where there is something in it: names, and the first of a list."""
    found = body.items() if isinstance(body, dict) else enumerate(body[:1]) if isinstance(body, list) else ()
    for name, value in found:
        yield (*inside, name)
        yield from paths(value, (*inside, name))


def changed(body: Any, path: tuple[Any, ...], value: Any = None, *, leave_out: bool = False) -> Any:
    """The same, with something else in one place."""
    copy = json.loads(json.dumps(body))
    holder = copy
    for name in path[:-1]:
        holder = holder[name]
    if leave_out:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    return copy


def _told(what: str, value: Any) -> Attack:
    return Attack(what, json.dumps(value).encode(), value)
