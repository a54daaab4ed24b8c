"""Entries as callers see them."""

from datetime import datetime

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from entries.models import Entry, EntryStatus
from entries.models.entry import EliminationReason
from entries.queries.entries import Used, next_lock_at

LARGEST_ID = 2**63 - 1
NOTHING_USED = Used([], 0)


class EntryOut(serializers.ModelSerializer[Entry]):
    """An entry. Expects `used` in its context: what each entry has picked, as far as the caller may know."""

    pool = serializers.IntegerField(source="pool_id", read_only=True)
    user = serializers.IntegerField(source="user_id", read_only=True)
    eliminated_round = serializers.IntegerField(source="eliminated_round_number", read_only=True, allow_null=True)
    eliminated_reason = serializers.SerializerMethodField()
    teams_used = serializers.SerializerMethodField()
    picks_made = serializers.SerializerMethodField()
    next_lock_at = serializers.SerializerMethodField()

    class Meta:
        model = Entry
        fields = [
            "id", "pool", "user", "number", "status", "strikes", "eliminated_round", "eliminated_reason", "teams_used",
            "picks_made", "next_lock_at", "prize_cents", "created_at",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(serializers.ChoiceField(EliminationReason.choices, allow_null=True))
    def get_eliminated_reason(self, entry: Entry) -> str | None:
        """Why it is out; null while it is not."""
        return entry.eliminated_code or None

    def get_teams_used(self, entry: Entry) -> list[str]:
        """Codes in the order of rounds. To others than the owner, only those of rounds that have locked."""
        return self._used(entry).teams

    def get_picks_made(self, entry: Entry) -> int:
        """How many picks the entry has made, those ahead included."""
        return self._used(entry).picks

    def get_next_lock_at(self, entry: Entry) -> datetime | None:
        """When it must have picked next; null when it cannot pick any more."""
        return next_lock_at(entry)

    def _used(self, entry: Entry) -> Used:
        used: dict[int, Used] = self.context.get("used", {})
        return used.get(entry.pk, NOTHING_USED)


class EntryFilter(serializers.Serializer[Entry]):
    """Which entries to list; `user` is for staff, others see their own alone."""

    status = serializers.ChoiceField(EntryStatus.choices, required=False)
    pool = serializers.IntegerField(min_value=1, max_value=LARGEST_ID, required=False)
    user = serializers.IntegerField(min_value=1, max_value=LARGEST_ID, required=False)
