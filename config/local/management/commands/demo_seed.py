"""Build the demo pool, once; a second call changes nothing."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from config.clock import database_now
from config.local.demo.accounts import hand_in_papers
from config.local.demo.people import write_sign_ins
from config.local.demo.story import tell


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        competition = tell()
        hand_in_papers(database_now())
        write_sign_ins(settings.OUTLAST_HOME)
        self.stdout.write(f"{competition.name}: {competition.pools.count()} pools")
