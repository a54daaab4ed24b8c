"""Which statements took longest on this machine, by fingerprint: `manage.py slow_queries --days 2 --limit 10`."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from config.slow_statements import KEPT_DAYS, worst


class Command(BaseCommand):
    help = "Lists the statements that were slower than SLOW_STATEMENT_MS, the most expensive first. No values."
    # It reads files, and must work when the database does not.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, default=1, choices=range(1, KEPT_DAYS + 1), help="today is one")
        parser.add_argument("--limit", type=int, default=20)

    def handle(self, *args: Any, **options: Any) -> None:
        found = worst(days=options["days"], limit=options["limit"])
        if not found:
            self.stdout.write(f"No statement took {settings.SLOW_STATEMENT_MS} ms or longer.")
            return
        self.stdout.write("fingerprint    times    total     max  route")
        for slow in found:
            times = f"{slow.count:6}  {slow.total_ms / 1000:6.1f}s  {slow.max_ms / 1000:5.1f}s"
            self.stdout.write(f"{slow.fingerprint}  {times}  {slow.route}")
            self.stdout.write(f"    {slow.statement}")
