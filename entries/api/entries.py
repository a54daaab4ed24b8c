"""Entries: players see their own, all staff may look at all. Nobody but the owner sees a pick before its lock."""

from typing import Any

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.authentication import caller
from config.api.filters import lookups
from config.api.operations import operation
from config.api.pagination import KeysetPagination
from config.api.views import ApiViewSet
from entries.api.serializers.entries import EntryFilter, EntryOut
from entries.models import Entry
from entries.queries.entries import entries_in_full, next_locks, used_by
from entries.queries.visible import visible_entries


class EntryViewSet(ApiViewSet):
    """The caller's own entries; for staff, everybody's."""

    family = "entries"
    queryset = Entry.objects.all()
    serializer_class = EntryOut
    pagination_class = KeysetPagination

    def get_queryset(self) -> QuerySet[Entry]:
        """A stranger's entry is not there."""
        return entries_in_full(visible_entries(caller(self.request)))

    @operation(query=EntryFilter, answer=EntryOut(many=True), summary="List entries")
    def list(self, request: Request) -> Response:
        """The caller's entries, newest first; for staff, everybody's."""
        asked = lookups(self.valid_query(), competition="pool__competition__code")
        page = self.paginate_queryset(self.get_queryset().filter(**asked)) or []
        return self.get_paginated_response(EntryOut(page, many=True, context=self._context(page)).data)

    @operation(answer=EntryOut, summary="Show an entry")
    def retrieve(self, request: Request, pk: str) -> Response:
        """One entry."""
        entry: Entry = self.get_object()
        return Response(EntryOut(entry, context=self._context([entry])).data)

    def _context(self, entries: Any) -> dict[str, Any]:
        return {"used": used_by(entries, viewer_id=caller(self.request).pk), "next_locks": next_locks(entries)}
