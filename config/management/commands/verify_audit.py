"""`manage.py verify_audit`: recompute the chain of the audit."""

from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.audit.verifying import verify
from config.clock import database_now
from config.models import AuditLink

FORM = "must be a day and the 64 figures that were mailed, as 2026-09-10=3f5c…"


class Command(BaseCommand):
    """Exits with 1, naming the first place that is not as it was written."""

    help = "Recompute the chain of the audit, and name the first entry that is missing or not what it was."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--from", dest="first", type=date.fromisoformat, metavar="DAY", help="in UTC")
        parser.add_argument("--to", dest="last", type=date.fromisoformat, metavar="DAY", help="in UTC, included")
        parser.add_argument(
            "--head", action="append", default=[], metavar="DAY=HASH", help="what was mailed when the day was closed"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        oldest = AuditLink.objects.order_by("day").values_list("day", flat=True).first()
        last = options["last"] or database_now().date()
        first = options["first"] or oldest or last
        found = verify(first=first, last=last, heads=dict(_head(text) for text in options["head"]))
        if found.fault is not None:
            raise CommandError(f"{found.entries} entries are whole, then: {found.fault}.")
        self.stdout.write(f"{found.entries} entries of {found.days} days are whole.")


def _head(text: str) -> tuple[str, str]:
    day, _, head = text.partition("=")
    try:
        date.fromisoformat(day)
    except ValueError:
        raise CommandError(f"--head {FORM}.") from None
    if len(head) != 64:
        raise CommandError(f"--head {FORM}.")
    return day, head.lower()
