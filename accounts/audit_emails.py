"""The head of each day of the audit, mailed to the admins: what is in their mailboxes nobody can rewrite in here."""

import logging
from datetime import date
from typing import Any

from accounts.models import Role, User
from accounts.services.letters.preferences import language_of
from config import mail, outbox
from config.audit.sealing import DAY_MAIL
from config.audit.verifying import verify
from config.models import AuditDay
from config.phrases import phrase

logger = logging.getLogger(__name__)


@outbox.handler(DAY_MAIL)
def mail_audit_day(payload: dict[str, Any]) -> None:
    """What the day came to, after it was recomputed once more. Nothing where no admin can get mail."""
    day = AuditDay.objects.get(day=date.fromisoformat(payload["day"]))
    found = verify(first=day.day, last=day.day)
    if found.fault is not None:
        logger.error("the audit of %s is broken: %s", day.day, found.fault)
    readers = [user for user in User.objects.filter(role=Role.ADMIN).order_by("pk") if user.can_get_mail]
    subject = (
        phrase("The audit of {day} is broken", day=day.day)
        if found.fault
        else phrase("The audit of {day}", day=day.day)
    )
    for reader in readers:
        mail.send(
            to=reader.email,
            subject=subject,
            template="audit_day",
            context={"day": day, "fault": found.fault},
            language=language_of(reader),
        )
