"""`manage.py reconcile`: does the money agree?"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from payments.management.commands.export_report import a_day
from payments.reports import Narrowing
from payments.services.reconciliation import reconcile


class Command(BaseCommand):
    """Exits with 1 where something differs."""

    help = "Ask the provider about every open payment, then compare payments, receipts and entries."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--from", dest="first", type=a_day, metavar="D", help="first day compared")
        parser.add_argument("--to", dest="last", type=a_day, metavar="D", help="last day compared, included")

    def handle(self, *args: Any, **options: Any) -> None:
        first, last = options["first"], options["last"]
        if first is not None and last is not None and first > last:
            raise CommandError(f"{last} is before {first}.")
        differences = reconcile(narrowing=Narrowing(first_day=first, last_day=last))
        for difference in differences:
            self.stdout.write(f"{difference.kind:<26} {difference.subject:<18} {difference.sentence}")
        if differences:
            raise CommandError(f"{len(differences)} differences")
        self.stdout.write("Everything agrees.")
