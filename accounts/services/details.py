"""What people may say about themselves, brought into the one form that is stored.

Each `clean_…` raises Django's `ValidationError`. `cleaned()` runs several and refuses them together, so that a form
shows every fault at once.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from accounts.countries import countries
from accounts.models import NOBODYS_DOMAIN, User
from config.errors import Code, Malformed
from config.phrases import tell

EMAIL_LENGTH = 254
NAME_LENGTH = 60
# Long enough for any passphrase; hashing a book would be work for us alone.
PASSWORD_LENGTH = 128
OLDEST_YEARS = 120
REGION = re.compile(r"[A-Z0-9]+(?:[-][A-Z0-9]+)*")
# Joiners shape letters and emoji; every other invisible character only makes two names look like one.
JOINERS = "\u200c\u200d"
INVISIBLE = ("Cc", "Cf", "Cs", "Cn", "Zl", "Zp")


def cleaned(checks: Mapping[str, tuple[Callable[[Any], Any], Any]]) -> dict[str, Any]:
    """Field → cleaned value, from field → (check, value). Refuses with VALIDATION_ERROR, naming every bad field."""
    values: dict[str, Any] = {}
    faults: dict[str, list[str]] = {}
    for field, (check, value) in checks.items():
        try:
            values[field] = check(value)
        except ValidationError as error:
            faults[field] = list(error.messages)
    if faults:
        raise Malformed(Code.VALIDATION_ERROR, "Some fields are not valid.", faults)
    return values


def clean_email(value: str) -> str:
    """The address in lower case. ASCII alone: look-alike letters would make two people's addresses one."""
    # Before the case is changed: the Kelvin sign, for one, becomes a plain k.
    if not value.isascii() or len(value) > EMAIL_LENGTH:
        raise ValidationError("Write the address in plain ASCII, the domain in its xn-- form, at most 254 characters.")
    email = value.strip().lower()
    validate_email(email)
    if not email.isprintable():
        raise ValidationError("An address cannot contain control characters.")
    if email.endswith(NOBODYS_DOMAIN):
        raise ValidationError("No mail reaches this domain.")
    return email


def clean_display_name(value: str) -> str:
    """The name others see: 1 to 60 visible characters, without controls or invisible marks."""
    return visible(value, longest=NAME_LENGTH)


def visible(value: str, *, longest: int) -> str:
    """A name of at most so many characters: composed, single spaces, without controls or invisible marks."""
    composed = unicodedata.normalize("NFC", value)
    if any(unicodedata.category(character) in INVISIBLE and character not in JOINERS for character in composed):
        raise ValidationError("A name cannot contain control or invisible characters.")
    name = " ".join(composed.split())
    if not name.strip(JOINERS + " "):
        raise ValidationError("A name cannot be empty.")
    if len(name) > longest:
        raise ValidationError(tell("A name has at most {longest} characters.", longest=longest))
    return name


def clean_country(value: str) -> str:
    """ISO 3166-1 alpha-2, in upper case."""
    country = value.strip().upper()
    # Upper case makes SS, a country, of one German letter.
    if not value.isascii() or country not in countries():
        raise ValidationError("Not a country: give its two letters of ISO 3166-1, as in US.")
    return country


def clean_region(value: str) -> str:
    """State or province, in upper case, as its letters after the country in ISO 3166-2; may be empty."""
    region = value.strip().upper()
    if region and (len(region) > 10 or not value.isascii() or not REGION.fullmatch(region)):
        raise ValidationError("A region is written as in ISO 3166-2 without the country, as NV for Nevada.")
    return region


def birth_check(today: date) -> Callable[[date], date]:
    """A check that refuses dates of birth nobody alive can have. Whether somebody is old enough, each pool says."""

    def clean_date_of_birth(value: date) -> date:
        if value > today:
            raise ValidationError("A date of birth cannot lie in the future.")
        if value.year < today.year - OLDEST_YEARS:
            raise ValidationError(tell("A date of birth lies at most {years} years back.", years=OLDEST_YEARS))
        return value

    return clean_date_of_birth


def password_check(of: User) -> Callable[[str], str]:
    """A check that refuses passwords that are weak, known or like what is known about their owner."""

    def check_password(value: str) -> str:
        if len(value) > PASSWORD_LENGTH:
            raise ValidationError(tell("A password has at most {longest} characters.", longest=PASSWORD_LENGTH))
        validate_password(value, user=of)
        return value

    return check_password
