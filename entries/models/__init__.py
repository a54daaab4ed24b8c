"""Who is in and still alive: requests for a place, entries, picks, and what became of them."""

from entries.models.entry import Entry, EntryChange, EntryStatus
from entries.models.pick import Pick, PickChange, PickSource
from entries.models.request import PaymentStatus, Request, RequestChange, RequestStatus

__all__ = [
    "Entry",
    "EntryChange",
    "EntryStatus",
    "PaymentStatus",
    "Pick",
    "PickChange",
    "PickSource",
    "Request",
    "RequestChange",
    "RequestStatus",
]
