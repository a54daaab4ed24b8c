"""What is known of players in numbers, for whoever decides about their requests: so many at a time, in few queries.

Apps above know more, money above all: they `register` a function that counts it.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping

from django.db.models import Count

from config.words import spoken
from entries.models import Entry, EntryStatus, Request, RequestStatus

# By player, then by what is counted; of nothing there is no line.
Numbers = Mapping[int, Mapping[str, int]]

# What becomes of a request, in the order in which it is told.
REQUESTS = (
    RequestStatus.APPROVED, RequestStatus.REJECTED, RequestStatus.WITHDRAWN, RequestStatus.EXPIRED,
    RequestStatus.PENDING,
)  # fmt: skip
_counters: list[Callable[[Collection[int]], Numbers]] = []


def register(counter: Callable[[Collection[int]], Numbers]) -> None:
    """Count this as well. Again changes nothing."""
    if counter not in _counters:
        _counters.append(counter)


def history_of(user_ids: Collection[int]) -> dict[int, dict[str, int]]:
    """Requests and entries of each player in all pools by what became of them, and what others count."""
    found: dict[int, dict[str, int]] = defaultdict(dict)
    for numbers in (_requests(user_ids), _entries(user_ids), *(counter(user_ids) for counter in _counters)):
        for user_id, lines in numbers.items():
            found[user_id].update(lines)
    return found


def _requests(user_ids: Collection[int]) -> Numbers:
    rows = Request.objects.filter(user__in=user_ids).order_by().values_list("user_id", "status")
    return _by_player(rows.annotate(Count("pk")), [status.value for status in REQUESTS], "requests")


def _entries(user_ids: Collection[int]) -> Numbers:
    rows = Entry.objects.filter(user__in=user_ids).order_by().values_list("user_id", "status")
    return _by_player(rows.annotate(Count("pk")), EntryStatus.values, "entries")


def _by_player(rows: "Collection[tuple[int, str, int]]", statuses: Collection[str], noun: str) -> Numbers:
    found: dict[int, dict[str, int]] = defaultdict(dict)
    counts = {(user_id, status): count for user_id, status, count in rows}
    for user_id in {user_id for user_id, _ in counts}:
        for status in statuses:
            if (user_id, status) in counts:
                found[user_id][f"{noun} {spoken(status)}"] = counts[user_id, status]
    return found
