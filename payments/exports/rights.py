"""Who may take reports out of the house: asked when one is wanted, whenever it is fetched, and before anybody is told
of it."""

from django.db.models import QuerySet

from accounts.models import User
from accounts.queries import who_may
from config.errors import Code, Forbidden
from payments.reports import REPORTS

EXPORT = "payments.export_reports"
PERSONAL = "payments.export_personal"


def may_export(person: User, *, kind: str, is_personal: bool) -> bool:
    """Whether this person may have such a report; `is_personal` where it names people."""
    return person.is_active and person.has_perms(_needed(kind, is_personal=is_personal))


def who_may_export(*, kind: str, is_personal: bool) -> QuerySet[User]:
    """Everybody of whom `may_export` is true; in one query."""
    found = User.objects.all()
    for permission in _needed(kind, is_personal=is_personal):
        found = found.filter(pk__in=who_may(permission).values("pk"))
    return found


def _needed(kind: str, *, is_personal: bool) -> list[str]:
    report = REPORTS.get(kind)
    own = report.permission if report is not None else ""
    return [EXPORT, *([PERSONAL] if is_personal else []), *([own] if own else [])]


def check_exporter(person: User) -> None:
    """Asked before anything is looked up: who may not export learns nothing about which exports there are."""
    if not person.is_active or not person.has_perm(EXPORT):
        raise Forbidden(Code.FORBIDDEN, "You may not export reports.")


def check_may_export(person: User, *, kind: str, is_personal: bool) -> None:
    """Refuse who may not have such a report."""
    if not may_export(person, kind=kind, is_personal=is_personal):
        raise Forbidden(Code.FORBIDDEN, "You may not export this report.")
