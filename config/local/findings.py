"""What the tools that look for weaknesses found, less what `exceptions.toml` excuses: with a reason, until a date.

An exception whose date is past excuses nothing any more, and one that excuses nothing has to go: the list only
shrinks by itself when somebody is told.
"""

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatch
from pathlib import Path

FILE = Path(__file__).parent / "exceptions.toml"


@dataclass(frozen=True)
class Finding:
    """One thing that a tool complains about: its name for it, the file or package, and a sentence."""

    name: str
    where: str
    text: str
    line: int = 0
    # Other names of the same: an advisory has several.
    also: tuple[str, ...] = ()

    def __str__(self) -> str:
        place = f"{self.where}:{self.line}" if self.line else self.where
        return f"{place}: {self.name} {self.text}"


@dataclass(frozen=True)
class Exempted:
    """What may stay as it is: the check, the tool's name for it, where (`*` as in file names), why, until when.

    `most` is how many of it were looked at: one more is a new one, and somebody has to look again.
    """

    check: str
    name: str
    where: str
    reason: str
    until: date
    most: int = 1

    def covers(self, finding: Finding) -> bool:
        """Whether it speaks of this finding."""
        names = (finding.name, *finding.also)
        return any(fnmatch(name, self.name) for name in names) and fnmatch(finding.where, self.where)


def exceptions(check: str, file: Path = FILE) -> list[Exempted]:
    """Those of one check. Raises ValueError for one without a reason: it could be anything."""
    rows = [Exempted(**row) for row in tomllib.loads(file.read_text(encoding="utf-8")).get("exception", [])]
    for row in rows:
        if len(row.reason.split()) < 3 or not isinstance(row.until, date):
            raise ValueError(f"{file.name}: {row.check} {row.name} in {row.where} needs a reason and a date")
    return [row for row in rows if row.check == check]


def complaints(found: Iterable[Finding], excused: Sequence[Exempted], today: date) -> list[str]:
    """A line for each finding that nothing excuses today, and for each exception that is not needed or too old."""
    used: dict[Exempted, list[Finding]] = {}
    said: list[str] = []
    for finding in sorted(found, key=lambda one: (one.where, one.line, one.name)):
        covering = next((row for row in excused if row.covers(finding)), None)
        if covering is not None:
            used.setdefault(covering, []).append(finding)
        if covering is None or today > covering.until:
            said.append(str(finding))
    for row, excusing in used.items():
        if len(excusing) > row.most:
            places = ", ".join(f"{one.where}:{one.line}" for one in excusing)
            said.append(f"{FILE.name}: {row.name} in {row.where} excuses {row.most}, not {len(excusing)}: {places}")
    said += [f"{FILE.name}: {row.name} in {row.where} was excused until {row.until}" for row in excused
             if row in used and today > row.until]  # fmt: skip
    said += [f"{FILE.name}: {row.name} in {row.where} excuses nothing; take it out" for row in excused
             if row not in used]  # fmt: skip
    return said
