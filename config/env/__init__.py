"""Every environment variable of the system, declared once and checked together at start-up.

`read()` looks at all of them, collects every fault and raises one `BadEnvironment` that names each. Staging and
production accept no missing secret, no sample from `.env.example`, no short key, no DEBUG and no plain http; local and
test fill in what is missing. A secret's value is never part of a message.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from django.core.exceptions import ImproperlyConfigured

from config.env.declared import VARIABLES
from config.env.parsing import parse_list
from config.env.variable import Environment

PROJECT = Path(__file__).resolve().parent.parent.parent

# Each signs something else: one that leaks must not open the other doors.
DISTINCT_KEYS = (
    "SECRET_KEY",
    "PREVIOUS_SECRET_KEYS",
    "JWT_SIGNING_KEY",
    "JWT_PREVIOUS_SIGNING_KEYS",
    "SLIP_SIGNING_KEY",
    "PERSONAL_DATA_KEYS",
)

TOGETHER = (
    ("GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET"),
    ("APPLE_CLIENT_ID", "APPLE_TEAM_ID", "APPLE_KEY_ID", "APPLE_PRIVATE_KEY"),
)


class BadEnvironment(ImproperlyConfigured):
    """One or more variables are missing or wrong; the message lists all of them."""

    def __init__(self, environment: str, faults: list[str]) -> None:
        self.faults = faults
        listed = "\n".join(f"  - {fault}" for fault in faults)
        noun = "fault" if len(faults) == 1 else "faults"
        super().__init__(f"The {environment} environment has {len(faults)} {noun}:\n{listed}\nSee .env.example.")


class Settings:
    """The values of all variables, read and checked, by name."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def text(self, name: str) -> str:
        """A text variable."""
        return cast(str, self._values[name])

    def flag(self, name: str) -> bool:
        """A true/false variable."""
        return cast(bool, self._values[name])

    def number(self, name: str) -> int:
        """A whole number."""
        return cast(int, self._values[name])

    def texts(self, name: str) -> list[str]:
        """A comma-separated variable."""
        return cast(list[str], self._values[name])

    def value(self, name: str) -> Any:
        """Whatever the variable's parser makes."""
        return self._values[name]


def environment_of(source: Mapping[str, str]) -> Environment:
    """Which environment the variables describe, before anything else is read."""
    name = source.get("OUTLAST_ENV", "").strip() or "local"
    if name not in list(Environment):
        raise BadEnvironment(name, [f"OUTLAST_ENV must be one of {', '.join(Environment)}."])
    return Environment(name)


def read(source: Mapping[str, str]) -> Settings:
    """Read and check every variable. Raises one `BadEnvironment` with all faults, never the first alone."""
    environment = environment_of(source)
    values: dict[str, Any] = {}
    faults: list[str] = []
    for variable in VARIABLES:
        try:
            values[variable.name] = variable.read(source.get(variable.name, ""), environment)
        except ValueError as fault:
            faults.append(f"{variable.name} {fault}. {variable.meaning}")
    faults.extend(_shared_keys(source))
    faults.extend(_half_given(source))
    if faults:
        raise BadEnvironment(environment, faults)
    return Settings(values)


def _shared_keys(source: Mapping[str, str]) -> list[str]:
    given = [(name, set(parse_list(source.get(name, "")))) for name in DISTINCT_KEYS]
    return [
        f"{name} must differ from {other}."
        for i, (name, keys) in enumerate(given)
        for other, known in given[:i]
        if keys & known
    ]


def _half_given(source: Mapping[str, str]) -> list[str]:
    """A provider of sign-ins is set up as a whole or not at all."""
    faults = []
    for names in TOGETHER:
        given = [name for name in names if source.get(name, "").strip()]
        if given and len(given) < len(names):
            faults += [f"{name} is missing: {given[0]} is given." for name in names if name not in given]
    return faults


LINE = re.compile(r"^\s*(?:export\s+)?([A-Z][A-Z0-9_]*)\s*=\s*(.*?)\s*$")


def read_file(path: Path) -> dict[str, str]:
    """The `NAME=value` lines of a `.env` file; comments and blank lines are skipped, quotes around a value dropped."""
    if not path.is_file():
        return {}
    found: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        match = LINE.match(line)
        if match:
            name, value = match.groups()
            quoted = len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'"
            found[name] = value[1:-1] if quoted else value
    return found
