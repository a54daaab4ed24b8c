"""Entries as callers see them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from config.api.filters import CreatedFilter
from entries.models import Entry, EntryStatus
from entries.models.entry import EliminationReason
from entries.queries.entries import Used, rules_of_elimination
from pools.services.rules import elimination_sentence

LARGEST_ID = 2**63 - 1
NOTHING_USED = Used([], 0)


class EliminationOut(serializers.Serializer[Any]):
    """Why an entry is out."""

    code = serializers.ChoiceField(EliminationReason.choices, read_only=True)
    sentence = serializers.CharField(read_only=True, help_text="What happened, and the rule that made it the end.")
    rules_version = serializers.IntegerField(read_only=True, help_text="The version of the pool's rules it quotes.")


class EntryOut(serializers.ModelSerializer[Entry]):
    """An entry of `entries_in_full`.

    Expects in its context `used`, what each entry has picked as far as the caller may know, and `next_locks`.
    """

    pool = serializers.IntegerField(source="pool_id", read_only=True)
    user = serializers.IntegerField(source="user_id", read_only=True)
    eliminated_round = serializers.IntegerField(source="eliminated_round_number", read_only=True, allow_null=True)
    eliminated_reason = serializers.SerializerMethodField()
    teams_used = serializers.SerializerMethodField()
    picks_made = serializers.SerializerMethodField()
    next_lock_at = serializers.SerializerMethodField()
    suspended = serializers.BooleanField(
        source="is_suspended",
        read_only=True,
        help_text="Its payment is disputed. It plays on; `suspended_may_pick` of its pool says whether it picks.",
    )

    class Meta:
        model = Entry
        fields = [
            "id", "pool", "user", "number", "status", "strikes", "eliminated_round", "eliminated_reason", "teams_used",
            "picks_made", "next_lock_at", "prize_cents", "suspended", "created_at",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(EliminationOut(allow_null=True))
    def get_eliminated_reason(self, entry: Entry) -> Mapping[str, Any] | None:
        """Why it is out; null while it is not."""
        rules = rules_of_elimination(entry)
        if rules is None or entry.eliminated_round_number is None:
            return None
        code, number = entry.eliminated_code, entry.eliminated_round_number
        sentence = elimination_sentence(code=code, round_number=number, rules=rules)
        return {"code": code, "sentence": sentence, "rules_version": rules.version}

    def get_teams_used(self, entry: Entry) -> list[str]:
        """Codes in the order of rounds, each as often as it counts. To others than the owner, only what has locked."""
        return self._used(entry).teams

    def get_picks_made(self, entry: Entry) -> int:
        """How many picks the entry has made, those ahead included."""
        return self._used(entry).picks

    def get_next_lock_at(self, entry: Entry) -> datetime | None:
        """When it must have picked next; null when it cannot pick any more."""
        locks: dict[int, datetime] = self.context.get("next_locks", {})
        return locks.get(entry.pk)

    def _used(self, entry: Entry) -> Used:
        used: dict[int, Used] = self.context.get("used", {})
        return used.get(entry.pk, NOTHING_USED)


class EntryFilter(CreatedFilter):
    """Which entries to list; `user` is for staff, others see their own alone."""

    status = serializers.ChoiceField(EntryStatus.choices, required=False)
    pool = serializers.IntegerField(min_value=1, max_value=LARGEST_ID, required=False)
    user = serializers.IntegerField(min_value=1, max_value=LARGEST_ID, required=False)
    competition = serializers.SlugField(max_length=40, required=False, help_text="A competition's code.")
