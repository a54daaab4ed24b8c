"""Who is in and still alive: requests for a place, entries, picks, rulings, and what became of them."""

from entries.models.announcement import Announcement, AnnouncementStatus, Audience
from entries.models.bulk_decision import WITH_REASON, BulkDecision, BulkItem, BulkKind, BulkOutcome, BulkState
from entries.models.entry import Entry, EntryChange, EntryStatus
from entries.models.pick import Fallback, FallbackChange, Pick, PickChange, PickSource
from entries.models.reason_template import ReasonTemplate
from entries.models.rehearsal import PickOrigin, Rehearsal, RehearsalState
from entries.models.reminder import BY_HAND, Reminder, ReminderOptOut
from entries.models.request import PaymentStatus, Request, RequestChange, RequestKind, RequestStatus
from entries.models.ruling import Reprieve, Ruling, RulingKind, RulingStatus
from entries.models.settlement import FillInAttempt, SettledRound, Settlement, SettlementCause, SettlementMark
from entries.models.tallies import EntryTally, FeeTally, PickTally

__all__ = [
    "BY_HAND",
    "WITH_REASON",
    "Announcement",
    "AnnouncementStatus",
    "Audience",
    "BulkDecision",
    "BulkItem",
    "BulkKind",
    "BulkOutcome",
    "BulkState",
    "Entry",
    "EntryChange",
    "EntryStatus",
    "EntryTally",
    "Fallback",
    "FallbackChange",
    "FeeTally",
    "FillInAttempt",
    "PaymentStatus",
    "Pick",
    "PickChange",
    "PickOrigin",
    "PickSource",
    "PickTally",
    "ReasonTemplate",
    "Rehearsal",
    "RehearsalState",
    "Reminder",
    "ReminderOptOut",
    "Reprieve",
    "Request",
    "RequestChange",
    "RequestKind",
    "RequestStatus",
    "Ruling",
    "RulingKind",
    "RulingStatus",
    "SettledRound",
    "Settlement",
    "SettlementCause",
    "SettlementMark",
]
