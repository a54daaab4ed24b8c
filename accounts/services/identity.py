"""Who somebody is to the tax office: told by themselves, encrypted, seen by few, and each look is written down."""

import re
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import PersonalDetails, User
from accounts.services import details
from config import audit
from config.errors import Code, Conflict

TAX_NUMBER = re.compile(r"[A-Z0-9](?:[ ./-]?[A-Z0-9]){3,29}")
LEGAL_NAME_LENGTH = 120


def clean_legal_name(value: str) -> str:
    """As on papers: 1 to 120 visible characters."""
    return details.visible(value, longest=LEGAL_NAME_LENGTH)


def clean_tax_number(value: str) -> str:
    """In upper case, 4 to 30 letters and digits with single separators between; may be empty."""
    number = " ".join(value.upper().split())
    if number and (not value.isascii() or not TAX_NUMBER.fullmatch(number)):
        raise ValidationError("A tax number has 4 to 30 letters and digits, with single spaces or marks between.")
    return number


@transaction.atomic
def save_identity(
    *, user: User, legal_name: str, tax_country: str, tax_number: str | None, now: datetime
) -> PersonalDetails:
    """Keep what the person says about themselves. Without a `tax_number` (None) the one on file stays; empty, it goes.

    Refuses with VALIDATION_ERROR, all of it at once. The audit names what changed, never a value.
    """
    given = {
        "legal_name": (clean_legal_name, legal_name),
        "tax_country": (details.clean_country, tax_country),
    }
    if tax_number is not None:
        given["tax_number"] = (clean_tax_number, tax_number)
    values = details.cleaned(given)
    user = User.objects.locked().get(pk=user.pk)
    if not user.is_active:
        raise Conflict(Code.INVALID_TRANSITION, "The account is not open.")
    found = PersonalDetails.objects.filter(user=user).first()
    changed = [field for field, value in values.items() if found is None or getattr(found, field) != value]
    if found is not None and not changed:
        return found
    known, _ = PersonalDetails.objects.update_or_create(user=user, defaults={**values, "updated_at": now})
    audit.record(action="identity.changed", subject=known, person=user, by=user, data={"fields": sorted(changed)})
    return known


@transaction.atomic
def look_at_personal_data(*, user: User, by: User, reason: str) -> PersonalDetails | None:
    """What is on file about somebody, for staff who may see it; the look is written down before anything is shown."""
    audit.record(action="personal_data.seen", subject=user, person=user, by=by, reason=reason)
    return PersonalDetails.objects.filter(user=user).first()
