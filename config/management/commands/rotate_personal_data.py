"""`manage.py rotate_personal_data`: bring personal data to the first of PERSONAL_DATA_KEYS."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.rotation import rotate, waiting


class Command(BaseCommand):
    """May be ended and run again at any time. Exits with 1 while values under other keys are left."""

    help = "Encrypt personal data anew under the first of PERSONAL_DATA_KEYS; afterwards the old keys may go."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--limit", type=int, metavar="N", help="at most this many values")
        parser.add_argument("--check", action="store_true", help="only count what is left")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["check"]:
            for place, count in sorted(rotate(limit=options["limit"]).items()):
                self.stdout.write(f"{place:<44} {count}")
        left = waiting()
        if left:
            told = ", ".join(f"{count} of {place}" for place, count in sorted(left.items()))
            raise CommandError(f"Under other keys: {told}.")
        self.stdout.write("Everything is under the first key.")
