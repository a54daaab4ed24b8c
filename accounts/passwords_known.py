"""Passwords that everybody knows: refused without asking anybody outside.

Two lists are looked into. The one that comes along (`data/known_passwords.bin`, built by
`config/local/known_passwords.py`) holds a public list of the million commonest. The setting BREACHED_PASSWORDS may
name the file "Pwned Passwords, ordered by hash", of hundreds of millions. Either is sorted by SHA-1 and bisected: the
small one in memory (700 kB), the big one in the file, where a look takes some thirty reads.
"""

import hashlib
import logging
from functools import lru_cache
from importlib.resources import files
from io import SEEK_END
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext

logger = logging.getLogger(__name__)

# How much of a SHA-1 the list that comes along keeps: of ten million passwords drawn at random, one is taken for known.
KEPT_BYTES = 5
SHORTEST = 10
# Longer than any line of the big file: forty hexadecimal digits, a colon, a count.
LONGEST_LINE = 80


class KnownPasswordValidator:
    """One of `AUTH_PASSWORD_VALIDATORS`."""

    def validate(self, password: str, user: Any = None) -> None:
        """Refuses a password on one of the lists, as it is or in lower case."""
        if is_known(password):
            raise ValidationError(
                "This password is on lists of stolen passwords: others try it first.", code="password_known"
            )

    def get_help_text(self) -> str:
        """What a form says beforehand."""
        return gettext("Your password can’t be one that is on lists of stolen passwords.")


def is_known(password: str) -> bool:
    """Whether the password is on one of the lists, or its lower-case form on the one that comes along."""
    candidates = {password, password.lower().strip()}
    return any(_is_common(candidate) for candidate in candidates) or _is_breached(password)


def truncated(password: str) -> bytes:
    """What the list that comes along keeps of a password."""
    return hashlib.sha1(password.encode("utf-8", "surrogatepass"), usedforsecurity=False).digest()[:KEPT_BYTES]


def _is_common(password: str) -> bool:
    wanted, known = truncated(password), _shipped()
    low, high = 0, len(known) // KEPT_BYTES
    while low < high:
        middle = (low + high) // 2
        found = known[middle * KEPT_BYTES : (middle + 1) * KEPT_BYTES]
        if found == wanted:
            return True
        low, high = (middle + 1, high) if found < wanted else (low, middle)
    return False


@lru_cache(maxsize=1)
def _shipped() -> bytes:
    return (files("accounts") / "data" / "known_passwords.bin").read_bytes()


def _is_breached(password: str) -> bool:
    """Whether the big file, where there is one, has it. One that cannot be read refuses nobody, and is told."""
    if settings.BREACHED_PASSWORDS is None:
        return False
    wanted = hashlib.sha1(password.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest().upper()
    try:
        with Path(settings.BREACHED_PASSWORDS).open("rb") as file:
            return _is_in(file, wanted.encode())
    except OSError:
        logger.exception("the list of breached passwords cannot be read")
        return False


def _is_in(file: IO[bytes], wanted: bytes) -> bool:
    """Bisect the bytes of a sorted file of lines. What begins before `low` is smaller, what begins at `high` is not."""
    low, high = 0, file.seek(0, SEEK_END)
    while low < high:
        middle = (low + high) // 2
        file.seek(middle)
        # The line at hand began before, but for the very first.
        if middle:
            file.readline(LONGEST_LINE)
        begins = file.tell()
        found = file.readline(LONGEST_LINE)[: len(wanted)].upper()
        if found == wanted:
            return True
        low, high = (max(begins, middle + 1), high) if found and found < wanted else (low, middle)
    return False
