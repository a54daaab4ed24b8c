"""Play the demo's games in the minutes after their kickoff, until stopped."""

from typing import Any

from django.core.management.base import BaseCommand

from config.local.demo.feed import run


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        run()
