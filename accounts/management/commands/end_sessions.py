"""Sign everybody out: `end_sessions --everybody`, for when keys or tokens may have got into wrong hands."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.services.sessions import end_everybodys_sessions
from config import audit


class Command(BaseCommand):
    """Of one person staff do it in the back office."""

    help = "End every session, access token and API key of everybody."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """It has to be meant."""
        parser.add_argument("--everybody", action="store_true", help="Without it nothing is done.")
        parser.add_argument("--reason", default="", help="Kept in the audit.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it, and say how many it met."""
        if not options["everybody"] or not options["reason"].strip():
            raise CommandError(
                "Say --everybody and --reason: all people have to sign in again, services need new keys."
            )
        people = end_everybodys_sessions()
        audit.record(
            action="sessions.ended", subject_type="accounts.user", subject_id="everybody",
            reason=options["reason"].strip(), data={"count": people},
        )  # fmt: skip
        self.stdout.write(f"{people} people are signed out.")
