"""`tallies`: whether the sums that pages are made of are what the rows add up to; with `--repair`, count them anew."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from entries.services.summaries import recount, wrong_tallies


class Command(BaseCommand):
    help = "Compare the tallies of entries, picks and fees with a count of the rows; fails where they differ."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--repair", action="store_true", help="count everything anew; picks wait meanwhile")

    def handle(self, *args: Any, **options: Any) -> None:
        wrong = wrong_tallies()
        for table, count in wrong.items():
            self.stdout.write(f"{table}: {count} sums differ")
        if not any(wrong.values()):
            return
        if not options["repair"]:
            raise CommandError("Some tallies are wrong. `tallies --repair` counts them anew.")
        recount()
        self.stdout.write("Counted anew.")
