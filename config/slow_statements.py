"""Statements that took longer than SLOW_STATEMENT_MS: which, how often, how long, for which route. Never with values.

A statement is known by its fingerprint, a hash of its text without values, comments and spaces. Each slow one becomes a
line in the log and a line in a file of the day under the home, to which all processes append; `manage.py slow_queries`
and `/health/detailed` add them up. A day's file has a bound, past which only the log tells more, and so has the number
of days.
"""

import hashlib
import json
import logging
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings

logger = logging.getLogger("outlast.slow_statement")

KEPT_DAYS = 7
LARGEST_FILE = 4 * 1024 * 1024
LONGEST_STATEMENT = 1000

VALUES = re.compile(
    r"""
    /\*.*?\*/ | --[^\n]*                 # comments
  | E?'(?:[^']|'')*'                     # texts
  | \$(\w*)\$.*?\$\1\$                   # texts in dollars
  | (?<![\w."])-?\d+(?:\.\d+)?\b         # numbers
  | %s | %\(\w+\)s                       # places of values
    """,
    re.VERBOSE | re.DOTALL,
)
SEVERAL = re.compile(r"\(\s*\?(?:\s*,\s*\?)*\s*\)(?:\s*,\s*\(\s*\?(?:\s*,\s*\?)*\s*\))*")
SPACES = re.compile(r"\s+")


@dataclass
class Slow:
    """One statement's record. Times in milliseconds."""

    fingerprint: str
    statement: str
    count: int = 0
    total_ms: float = 0.0
    max_ms: float = 0.0
    route: str = ""


def threshold() -> float:
    """From how many seconds on a statement is slow."""
    return float(settings.SLOW_STATEMENT_MS) / 1000


@lru_cache(maxsize=2048)
def normalised(sql: str) -> str:
    """The statement without values, comments and needless spaces; lists of any length are one and the same."""
    bare = VALUES.sub(lambda found: " " if found.group().startswith(("/*", "--")) else "?", sql)
    return SEVERAL.sub("(?)", SPACES.sub(" ", bare).strip())[:LONGEST_STATEMENT]


def fingerprint(sql: str) -> str:
    """Twelve hex digits that stand for the statement, whatever its values."""
    return hashlib.sha256(normalised(sql).encode()).hexdigest()[:12]


def note(sql: str, seconds: float, *, route: str) -> str:
    """Write down that a statement was slow; its fingerprint. Never raises: a full disk must fail nothing."""
    milliseconds = round(seconds * 1000, 1)
    mark, statement = fingerprint(sql), normalised(sql)
    logger.warning(
        "slow statement %s took %.0fms", mark, milliseconds,
        extra={"fingerprint": mark, "statement": statement, "route": route, "ms": milliseconds},
    )  # fmt: skip
    line = json.dumps({"id": mark, "sql": statement, "ms": milliseconds, "route": route}) + "\n"
    try:
        _append(folder() / f"{datetime.now(UTC):%Y-%m-%d}.jsonl", line.encode())
    except OSError as error:
        logger.debug("not kept: %s", type(error).__name__)
    return mark


def folder() -> Path:
    """Where the days lie."""
    found: Path = settings.OUTLAST_HOME / "run" / "slow-statements"
    return found


def _append(file: Path, line: bytes) -> None:
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        _forget_before(datetime.now(UTC).date() - timedelta(days=KEPT_DAYS - 1))
    descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        if os.fstat(descriptor).st_size + len(line) <= LARGEST_FILE:
            # One write at the end of the file: lines of several processes do not mix.
            os.write(descriptor, line)
    finally:
        os.close(descriptor)


def _forget_before(first: date) -> None:
    for file in folder().glob("*.jsonl"):
        if file.stem < first.isoformat():
            file.unlink(missing_ok=True)


def worst(*, days: int = 1, limit: int = 20) -> list[Slow]:
    """Those that took most time in all, of today and the days before it, on this machine."""
    first = (datetime.now(UTC).date() - timedelta(days=days - 1)).isoformat()
    found: dict[str, Slow] = {}
    for line in _lines(file for file in sorted(folder().glob("*.jsonl")) if file.stem >= first):
        slow = found.setdefault(line["id"], Slow(line["id"], line["sql"]))
        slow.count += 1
        slow.total_ms += line["ms"]
        if line["ms"] >= slow.max_ms:
            slow.max_ms, slow.route = line["ms"], line["route"]
    return sorted(found.values(), key=lambda slow: -slow.total_ms)[:limit]


def _lines(files: Iterable[Path]) -> Iterable[dict[str, Any]]:
    for file in files:
        for line in file.read_text().splitlines():
            try:
                yield json.loads(line)
            except ValueError:
                # The last one, where the disk was full.
                continue
