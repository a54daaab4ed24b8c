"""Whose places somebody may look at, at whatever door they ask: their own, and for staff everybody's."""

from accounts.models import User
from entries.models import Entry, Request
from entries.models.entry import EntryQuerySet
from entries.models.request import RequestQuerySet


def visible_entries(viewer: User) -> EntryQuerySet:
    """The entries that are there for this person."""
    return Entry.objects.all() if viewer.is_back_office else Entry.objects.of(viewer.pk)


def visible_requests(viewer: User) -> RequestQuerySet:
    """The requests that are there for this person."""
    return Request.objects.all() if viewer.is_back_office else Request.objects.of(viewer.pk)
