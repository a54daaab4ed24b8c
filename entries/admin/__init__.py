"""Back-office pages of requests, entries, rulings, settlements and announcements. Picks have none: they are secret."""

from entries.admin import home, menu, pool_ends
from entries.admin.announcements import AnnouncementAdmin
from entries.admin.bulk_decisions import BulkDecisionAdmin, BulkItemAdmin
from entries.admin.entries import EntryAdmin
from entries.admin.reason_templates import ReasonTemplateAdmin
from entries.admin.rehearsals import RehearsalAdmin
from entries.admin.requests import RequestAdmin
from entries.admin.rulings import RulingAdmin
from entries.admin.settlements import SettlementAdmin

__all__ = [
    "AnnouncementAdmin",
    "BulkDecisionAdmin",
    "BulkItemAdmin",
    "EntryAdmin",
    "ReasonTemplateAdmin",
    "RehearsalAdmin",
    "RequestAdmin",
    "RulingAdmin",
    "SettlementAdmin",
    "home",
    "menu",
    "pool_ends",
]
