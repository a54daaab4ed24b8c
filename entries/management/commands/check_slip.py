"""`check_slip FILE`: whether a slip that somebody shows was signed by this house, and what it says."""

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from entries.services.slips import is_genuine


class Command(BaseCommand):
    help = "Check the signature of a slip, the JSON that a player got for a saved pick. `-` reads it from the terminal."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            text = sys.stdin.read() if options["file"] == "-" else Path(options["file"]).read_text(encoding="utf-8")
            slip = json.loads(text)
        except (OSError, ValueError) as error:
            raise CommandError(f"This is no slip: {error}") from error
        if not isinstance(slip, dict) or not is_genuine(slip):
            raise CommandError("We did not sign this.")
        self.stdout.write(
            f"Genuine. Entry {slip['entry']}, round {slip['round']}: {slip['team']}, saved at {slip['saved_at']} under"
            f" version {slip['rules_version']} of the rules. A later change has a slip of its own."
        )
