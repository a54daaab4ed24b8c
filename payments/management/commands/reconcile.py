"""`manage.py reconcile`: does the money agree?"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from payments.management.commands.export_report import a_day
from payments.models import DiscrepancyKind
from payments.reconciliation.full import reconcile
from payments.reports import Narrowing


class Command(BaseCommand):
    """Exits with 1 where something differs."""

    help = "Ask about all that is under way, read the provider's lists, heal what heals by itself; tell what differs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--from", dest="first", type=a_day, metavar="D", help="first day compared")
        parser.add_argument("--to", dest="last", type=a_day, metavar="D", help="last day compared, included")

    def handle(self, *args: Any, **options: Any) -> None:
        first, last = options["first"], options["last"]
        if first is not None and last is not None and first > last:
            raise CommandError(f"{last} is before {first}.")
        result = reconcile(narrowing=Narrowing(first_day=first, last_day=last))
        for kind, count in sorted(result.run.healed.items() if result.run else ()):
            self.stdout.write(f"{'healed':<26} {count} × {DiscrepancyKind(kind).label.lower()}")
        for told in result.differences:
            self.stdout.write(f"{told.rule:<26} {told.subject:<18} {told.sentence}")
        if result.differences:
            raise CommandError(f"{len(result.differences)} differences")
        self.stdout.write("Everything agrees.")
