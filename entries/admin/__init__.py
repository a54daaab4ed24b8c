"""Back-office pages of requests and entries. Picks have none: they are secret until their lock."""

from entries.admin.entries import EntryAdmin
from entries.admin.requests import RequestAdmin

__all__ = ["EntryAdmin", "RequestAdmin"]
