"""The reasons that staff choose from: changed by anybody who decides about requests, and never without a trace."""

from django.db import transaction

from accounts.models import User
from config import audit
from config.audit import attribute
from entries.models import ReasonTemplate


@transaction.atomic
def save_reason_template(*, template: ReasonTemplate, by: User) -> ReasonTemplate:
    """Keep a new one, or what was changed of one; reasons that were given with it stay as they were given."""
    attribute(by=by)
    verb = "changed" if template.pk else "added"
    template.save()
    audit.record(action=f"reason_template.{verb}", subject=template, by=by)
    return template
