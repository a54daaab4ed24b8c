"""`manage.py create_pool --competition CODE --name NAME`: makes a pool and opens it."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils.dateparse import parse_datetime

from config.clock import database_now
from config.errors import DomainError
from pools.models import ChargebackBearer, Competition, Pool
from pools.queries import current_rules, first_lock_at
from pools.services.pools import create_pool, publish_pool
from pools.services.rules import cautions, sentences

FIELDS = (
    "entry_fee_cents", "currency", "capacity", "max_entries_per_user", "registration_closes_at", "first_round_number",
    "last_round_number", "pay_within_hours", "minimum_age", "countries", "description",
    "suspended_may_pick", "chargeback_bearer",
)  # fmt: skip


class Command(BaseCommand):
    """Prints the rules in words and the pool's id, alone on the last line.

    A pool over rounds that are played already is opened too, with a warning: entries come to it by import.
    """

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--competition", required=True, metavar="CODE")
        parser.add_argument("--name", required=True)
        parser.add_argument("--fee-cents", type=int, dest="entry_fee_cents", help="in minor units of the currency")
        parser.add_argument("--currency", help="three letters, usd by default")
        parser.add_argument("--capacity", type=int, help="places; no limit by default")
        parser.add_argument("--max-entries", type=int, dest="max_entries_per_user", help="per player, 3 by default")
        parser.add_argument(
            "--rule", nargs="+", action="extend", default=[], metavar="KEY=VALUE", help="such as tie=win strikes=1"
        )
        parser.add_argument("--first-round", type=int, dest="first_round_number")
        parser.add_argument("--last-round", type=int, dest="last_round_number")
        parser.add_argument("--registration-closes", dest="registration_closes_at", metavar="2026-09-10T00:00Z")
        parser.add_argument("--pay-within-hours", type=int)
        parser.add_argument("--minimum-age", type=int)
        parser.add_argument("--countries", nargs="+", metavar="US")
        parser.add_argument("--description")
        parser.add_argument(
            "--suspended-may-not-pick", dest="suspended_may_pick", action="store_const", const=False,
            help="no picks while a payment is disputed",
        )  # fmt: skip
        parser.add_argument("--chargeback-bearer", choices=ChargebackBearer.values, help="house by default")
        parser.add_argument("--draft", action="store_true", help="leave it invisible to players")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            pool = self._create(options)
        except DomainError as error:
            raise CommandError(error.message) from error
        rules = current_rules(pool)
        for caution in cautions(rules, pool):
            self.stderr.write(self.style.WARNING(caution))
        self.stdout.write(f"{pool.name} on {options['competition']} is {pool.status}. Its rules:")
        for sentence in sentences(rules, pool):
            self.stdout.write(f"- {sentence}")
        self.stdout.write(str(pool.pk))

    @transaction.atomic
    def _create(self, options: dict[str, Any]) -> Pool:
        competition = Competition.objects.filter(code=options["competition"]).first()
        if competition is None:
            raise CommandError(f"There is no competition {options['competition']}. Import its schedule first.")
        fields = {key: options[key] for key in FIELDS if options[key] is not None}
        if "registration_closes_at" in fields:
            fields["registration_closes_at"] = _instant(fields["registration_closes_at"])
        pool = create_pool(
            competition=competition,
            name=options["name"],
            created_by=None,
            rules=_rules(options["rule"]),
            **fields,
        )
        return pool if options["draft"] else self._publish(pool)

    def _publish(self, pool: Pool) -> Pool:
        now, locks_at = database_now(), first_lock_at(pool)
        if locks_at is not None and locks_at <= now:
            self.stderr.write(
                self.style.WARNING(f"Its first round locked at {locks_at:%Y-%m-%d %H:%M} UTC: nobody can ask to join.")
            )
        return publish_pool(pool=pool, by=None, now=now, allow_past=True)


def _rules(texts: list[str]) -> dict[str, str]:
    rules: dict[str, str] = {}
    for text in texts:
        key, equals, value = (part.strip() for part in text.partition("="))
        if not equals:
            raise CommandError(f"--rule {text}: must be KEY=VALUE, such as tie=win.")
        if key in rules:
            raise CommandError(f"--rule {key} is given twice.")
        rules[key] = value
    return rules


def _instant(text: str) -> Any:
    try:
        found = parse_datetime(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise CommandError(f"--registration-closes {text}: must be an instant with a zone, such as 2026-09-10T00:00Z.")
    return found
