"""Take away the second factor of somebody who lost it: `reset_second_factor ADDRESS --reason WHY`."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from accounts.services.second_factor import reset_second_factor
from config.errors import DomainError


class Command(BaseCommand):
    """For whoever has the machine: the last admin's device may be lost as well."""

    help = "Take away the second factor of an account; all its sessions end."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whose, and why."""
        parser.add_argument("email")
        parser.add_argument("--reason", required=True, help="Kept in the history of the account.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Reset it, or say what is in the way."""
        user = User.objects.filter(email=options["email"].strip().lower()).first()
        if user is None:
            raise CommandError("Nobody has this address.")
        if not options["reason"].strip():
            raise CommandError("Say why.")
        try:
            reset_second_factor(user=user, by=None, reason=options["reason"].strip())
        except DomainError as refusal:
            raise CommandError(refusal.message) from None
        self.stdout.write("The second factor is gone. At the next sign-in there is none, or staff set up another one.")
