"""The sources themselves: added and changed by people, who can also hurry one or give a broken one its chance."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from config import outbox
from config.audit import attribute
from config.clock import ClockTimestamp
from config.errors import Code, Conflict, NotFound, invalid
from config.http import HttpFailed, check_address
from config.phrases import phrase
from pools.models import Competition, FeedKind, FeedSource
from pools.models.feed import LONGEST_INTERVAL, SHORTEST_INTERVAL

CHOICES = ("kind", "url", "season", "game_types", "every_seconds", "is_enabled")
# With one of these another, what was learned from the source speaks of something else.
WHAT_IT_IS = ("kind", "url", "season", "game_types")
GAME_TYPES = frozenset({"REG", "WC", "DIV", "CON", "SB"})
FORGOTTEN: dict[str, Any] = {"etag": "", "last_modified": "", "digest": "", "said": {}, "last_read_at": None}


@transaction.atomic
def add_source(*, competition: Competition, by: User | None, **choices: Any) -> FeedSource:
    """Begin to pull an address for the competition. Refuses what cannot be, field by field, and a source we have."""
    check_choices(choices)
    _refuse_twin(FeedSource.objects.filter(competition=competition), choices)
    attribute(by=by, reason="added")
    return FeedSource.objects.create(competition=competition, **choices)


@transaction.atomic
def change_source(*, source_id: int, by: User | None, **choices: Any) -> FeedSource:
    """Set what a person chooses about a source. A pull that is under way meanwhile writes nothing."""
    source = _locked(source_id)
    before = {name: getattr(source, name) for name in CHOICES}
    after = before | choices
    check_choices(after)
    _refuse_twin(FeedSource.objects.filter(competition=source.competition_id).exclude(pk=source.pk), after)
    learned = {} if all(before[name] == after[name] for name in WHAT_IT_IS) else FORGOTTEN
    attribute(by=by, reason="changed")
    for name, value in (after | learned).items():
        setattr(source, name, value)
    # No claim survives this: the puller that holds one asked for something else.
    source.claims += 1
    source.claimed_until = None
    source.save(update_fields=[*after, *learned, "claims", "claimed_until"])
    return source


def ask_to_pull(*, source_id: int) -> None:
    """Make the source due now and hurry the pullers; its breaker stays as it is, so a broken one gets one try."""
    _update(source_id, next_pull_at=ClockTimestamp())
    outbox.hurry("pools.tasks.pull_feeds")


def close_breaker(*, source_id: int) -> bool:
    """Forget the failures and pull soon; whether the breaker was open."""
    with transaction.atomic():
        was_broken = _locked(source_id).is_broken
        _update(source_id, failures=0, broken_at=None, next_pull_at=ClockTimestamp())
    outbox.hurry("pools.tasks.pull_feeds")
    return was_broken


def check_choices(choices: dict[str, Any]) -> None:
    """Raises VALIDATION_ERROR for the first field that cannot be."""
    if choices["kind"] not in FeedKind.values:
        raise invalid("kind", phrase("Must be one of {choices}.", choices=", ".join(FeedKind.values)))
    try:
        check_address(choices["url"])
    except HttpFailed as refusal:
        raise invalid("url", phrase("Cannot be used: {message}.", message=refusal.message)) from refusal
    if not str(choices["season"])[:4].isdecimal():
        raise invalid("season", "Must begin with a year, such as 2026.")
    if not set(choices.get("game_types", "REG").split(",")) <= GAME_TYPES:
        raise invalid(
            "game_types",
            phrase("Must be some of {choices}, separated by commas.", choices=", ".join(sorted(GAME_TYPES))),
        )
    if not SHORTEST_INTERVAL <= choices.get("every_seconds", SHORTEST_INTERVAL) <= LONGEST_INTERVAL:
        raise invalid(
            "every_seconds",
            phrase("Must be from {shortest} to {longest}.", shortest=SHORTEST_INTERVAL, longest=LONGEST_INTERVAL),
        )


def _refuse_twin(others: QuerySet[FeedSource], choices: dict[str, Any]) -> None:
    if others.filter(kind=choices["kind"], url=choices["url"]).exists():
        raise Conflict(Code.VERSION_CONFLICT, "The competition has this source already.")


def _locked(source_id: int) -> FeedSource:
    source = FeedSource.objects.locked().filter(pk=source_id).first()
    if source is None:
        raise NotFound(Code.NOT_FOUND, "There is no such source.")
    return source


def _update(source_id: int, **values: Any) -> None:
    if not FeedSource.objects.filter(pk=source_id).update(**values):
        raise NotFound(Code.NOT_FOUND, "There is no such source.")
