"""Standings and rounds as callers see them."""

from typing import Any

from rest_framework import serializers

from entries.models import EntryStatus, PickSource
from entries.models.entry import EliminationReason
from entries.queries.grades import PickResult
from entries.queries.rounds import Fate

STANDING_STATUSES = [choice for choice in EntryStatus.choices if choice[0] != EntryStatus.VOID]


class StandingPickOut(serializers.Serializer[Any]):
    """A revealed pick."""

    round = serializers.IntegerField(read_only=True)
    team = serializers.CharField(read_only=True)
    result = serializers.ChoiceField(PickResult.choices, read_only=True)


class StandingOut(serializers.Serializer[Any]):
    """One entry's place; equals share a rank."""

    rank = serializers.IntegerField(read_only=True)
    entry = serializers.IntegerField(read_only=True)
    display_name = serializers.CharField(read_only=True)
    number = serializers.IntegerField(read_only=True)
    status = serializers.ChoiceField(STANDING_STATUSES, read_only=True)
    strikes = serializers.IntegerField(read_only=True)
    eliminated_round = serializers.IntegerField(read_only=True, allow_null=True)
    rounds_survived = serializers.IntegerField(read_only=True)
    picks = StandingPickOut(many=True, read_only=True)


class StandingsQuery(serializers.Serializer[Any]):
    """Which entries to show; ranks are those among all."""

    status = serializers.ChoiceField(STANDING_STATUSES, required=False)
    search = serializers.CharField(max_length=60, required=False, help_text="A part of the display name.")


class SpreadOut(serializers.Serializer[Any]):
    """One team's part of the picks."""

    team = serializers.CharField(read_only=True)
    picks = serializers.IntegerField(read_only=True)
    share = serializers.FloatField(read_only=True, min_value=0, max_value=1, help_text="Of all picks of the round.")
    result = serializers.ChoiceField(PickResult.choices, read_only=True)


class ReportLineOut(serializers.Serializer[Any]):
    """One entry in the round; a two-pick round has two lines for each.

    Where each game locks for itself, a pick is told with its game; until the round is closed, an entry without a line's
    pick is pending, whether it has picked or not.
    """

    entry = serializers.IntegerField(read_only=True)
    reference = serializers.CharField(read_only=True, allow_blank=True, help_text="The imported entry's own name.")
    display_name = serializers.CharField(read_only=True)
    number = serializers.IntegerField(read_only=True)
    team = serializers.CharField(read_only=True, allow_null=True)
    game = serializers.CharField(read_only=True, allow_null=True, help_text="The schedule's own name of the game.")
    home = serializers.CharField(read_only=True, allow_null=True)
    away = serializers.CharField(read_only=True, allow_null=True)
    home_score = serializers.IntegerField(read_only=True, allow_null=True)
    away_score = serializers.IntegerField(read_only=True, allow_null=True)
    result = serializers.ChoiceField(PickResult.choices, read_only=True)
    source = serializers.ChoiceField(PickSource.choices, read_only=True, allow_null=True)  # type: ignore[assignment]  # a field here, not DRF's attribute
    fate = serializers.ChoiceField(Fate.choices, read_only=True, help_text="As far as it is settled.")
    eliminated_reason = serializers.ChoiceField(EliminationReason.choices, read_only=True, allow_null=True)
    rules_version = serializers.IntegerField(read_only=True, help_text="The version that the round is graded by.")


class ReportOut(serializers.Serializer[Any]):
    """A whole round: its numbers, and every entry that was in play, in the order of ids."""

    pool = serializers.IntegerField(read_only=True)
    round = serializers.IntegerField(read_only=True)
    name = serializers.CharField(read_only=True)
    locks_at = serializers.DateTimeField(read_only=True)
    picks_total = serializers.IntegerField(read_only=True, allow_null=True)
    missed = serializers.IntegerField(
        read_only=True, allow_null=True, help_text="Entries that lack a pick; null while one can still come."
    )
    eliminated = serializers.IntegerField(read_only=True, allow_null=True)
    alive_after = serializers.IntegerField(read_only=True, allow_null=True)
    entries = ReportLineOut(many=True, read_only=True)
