"""What the workbench shows of each request, asked for all of a page at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext

from config.phrases import shown_amount, tell, tell_of
from config.words import spoken, within
from entries.models import Request, RequestKind
from entries.queries.player_history import history_of
from entries.services.risks import Hint, risks_of


@dataclass(frozen=True)
class Row:
    """A request, in words."""

    request: Request
    about: str
    fee: str
    waits: str
    history: list[tuple[str, int]]
    hints: list[Hint]


def rows_of(requests: Sequence[Request], now: datetime) -> list[Row]:
    """Each with the player's history and the hints; the number of queries does not depend on how many there are."""
    history = history_of({request.user_id for request in requests})
    hints = risks_of(requests, now)
    return [
        Row(
            request=request,
            about=_about(request),
            fee=_fee(request),
            waits=_spoken(now - request.created_at),
            history=_others(request, history.get(request.user_id, {})),
            hints=hints.get(request.pk, []),
        )
        for request in requests
    ]


def _others(request: Request, history: Mapping[str, int]) -> list[tuple[str, int]]:
    """Without this very request."""
    itself = f"requests {spoken(request.status)}"
    return [(within(name), left) for name, count in history.items() if (left := count - (name == itself))]


def _about(request: Request) -> str:
    if request.kind == RequestKind.BUY_BACK:
        return tell("buy-back of entry {entry}", entry=request.bought_entry_id)
    return tell("request {number} of {limit}", number=request.number, limit=request.pool.max_entries_per_user)


def _fee(request: Request) -> str:
    """What it costs, or would."""
    cents = request.pool.entry_fee_cents if request.fee_cents is None else request.fee_cents
    return shown_amount(cents, request.currency or request.pool.currency)


def _spoken(waited: timedelta) -> str:
    """As roughly as it matters."""
    minutes = max(int(waited.total_seconds() // 60), 0)
    if minutes >= 24 * 60:
        return tell_of(minutes // (24 * 60), "{count} day", "{count} days")
    if minutes >= 60:
        return tell_of(minutes // 60, "{count} hour", "{count} hours")
    return tell_of(minutes, "{count} minute", "{count} minutes") if minutes else gettext("a moment")
