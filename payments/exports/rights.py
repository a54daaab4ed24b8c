"""Who may take reports out of the house: asked when one is wanted, whenever it is fetched, and before anybody is told
of it."""

from accounts.models import User
from config.errors import Code, Forbidden

EXPORT = "payments.export_reports"
PERSONAL = "payments.export_personal"


def may_export(person: User, *, is_personal: bool) -> bool:
    """Whether this person may have such a report; `is_personal` where it names people."""
    return person.has_perm(EXPORT) and (not is_personal or person.has_perm(PERSONAL))


def check_may_export(person: User, *, is_personal: bool) -> None:
    """Refuse who may not have such a report."""
    if not may_export(person, is_personal=is_personal):
        said = "This report names people; you may not export it." if is_personal else "You may not export reports."
        raise Forbidden(Code.FORBIDDEN, said)
