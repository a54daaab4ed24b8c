"""Settle what is final, in one pool's competition or in a competition by its code.

All pools of a competition are settled together. `--through N` holds later rounds back; `--dry-run` changes nothing and
says what would change.
"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from entries.services.settlement import Settlement, settle_competition
from pools.management.arguments import find_pool
from pools.models import Competition


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("pool", nargs="?", metavar="POOL", help="the pool's id or name")
        parser.add_argument("--competition", metavar="CODE", help="a competition's code, instead of a pool")
        parser.add_argument("--through", type=int, metavar="N", help="hold back rounds after N")
        parser.add_argument("--dry-run", action="store_true", help="change nothing, say what would change")

    def handle(self, *args: Any, **options: Any) -> None:
        settlement = settle_competition(
            competition_id=_competition_id(options["pool"], options["competition"]),
            through=options["through"],
            dry_run=options["dry_run"],
        )
        self.stdout.write(_told(settlement))


def _competition_id(pool: str | None, code: str | None) -> int:
    if (pool is None) == (code is None):
        raise CommandError("Name either a pool or --competition CODE.")
    if pool is not None:
        return find_pool(pool).competition_id
    found = Competition.objects.filter(code=code).values_list("pk", flat=True).first()
    if found is None:
        raise CommandError(f"There is no competition {code!r}.")
    return found


def _told(settlement: Settlement) -> str:
    if settlement.difference.is_nothing:
        return "Nothing to settle: every entry stands as its picks and the results say."
    verb = "would change" if settlement.dry_run else "changed"
    counts = settlement.difference._asdict()
    return f"{verb}: " + ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in counts.items() if count)
