"""`manage.py pull_feeds`: pulls the results feeds that are due, or one of them now."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from pools.models import FeedPull, FeedSource, PullOutcome
from pools.services.feeds import Pulled, pull_due_sources, pull_source


class Command(BaseCommand):
    """The same pull as the scheduler's, with its outcome told. Beside a running worker it does no harm."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--source", type=int, metavar="ID", help="this one, due or not, enabled or not")

    def handle(self, *args: Any, **options: Any) -> None:
        pulled = pull_due_sources() if options["source"] is None else [self._one(options["source"])]
        for one in pulled:
            self._tell(one)
        if not pulled:
            self.stdout.write("No source is due.")
        if failed := [one for one in pulled if one.outcome in (PullOutcome.REFUSED, PullOutcome.FAILED)]:
            raise CommandError(f"{len(failed)} of {len(pulled)} pulls brought nothing.")

    def _one(self, source_id: int) -> Pulled:
        if not FeedSource.objects.filter(pk=source_id).exists():
            raise CommandError(f"There is no source {source_id}.")
        pulled = pull_source(source_id=source_id)
        if pulled is None:
            raise CommandError(f"Source {source_id} is being pulled by somebody else.")
        return pulled

    def _tell(self, one: Pulled) -> None:
        self.stdout.write(f"{one.source}, {one.source.kind} for {one.source.competition.code}: {_outcome(one)}")
        for warning in one.pull.warnings if one.pull else ():
            self.stderr.write(self.style.WARNING(warning))


def _outcome(one: Pulled) -> str:
    pull: FeedPull | None = one.pull
    if pull is None or pull.outcome != PullOutcome.APPLIED:
        return f"{one.outcome}. {pull.refusal}" if pull else f"{one.outcome}."
    return (
        f"applied. {pull.games} games, {pull.changed} changed, {pull.results} results taken,"
        f" {pull.raised} raised for a ruling."
    )
