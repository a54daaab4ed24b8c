"""What people may change about themselves."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.models import User
from accounts.services import details
from config import audit
from config.errors import invalid

CHANGEABLE = ("display_name", "country", "region", "date_of_birth")


@transaction.atomic
def update_profile(*, user: User, changes: Mapping[str, Any], now: datetime) -> User:
    """Change what is in `changes`, of CHANGEABLE, and nothing else.

    A date of birth can be given once, by somebody who has none yet (an imported player): whether a person was old
    enough must not depend on when they were asked. The same date again is no change. Refuses with VALIDATION_ERROR.
    """
    user = User.objects.locked().get(pk=user.pk)
    checks: dict[str, Callable[[Any], Any]] = {
        "display_name": details.clean_display_name,
        "country": details.clean_country,
        "region": details.clean_region,
        "date_of_birth": details.birth_check(now.date()),
    }
    values = details.cleaned({field: (checks[field], value) for field, value in changes.items()})
    if user.date_of_birth is not None and values.get("date_of_birth", user.date_of_birth) != user.date_of_birth:
        raise invalid("date_of_birth", "A date of birth cannot be changed. Write to support if it is wrong.")
    changed = [field for field, value in values.items() if getattr(user, field) != value]
    for field in changed:
        setattr(user, field, values[field])
    if changed:
        user.save(update_fields=changed)
        # Where somebody says they live decides what they may do: the audit knows when it changed, though not to what.
        audit.record(action="profile.changed", subject=user, person=user, by=user, data={"fields": sorted(changed)})
    return user
