"""Fallback lists as callers see and send them."""

from typing import Any

from rest_framework import serializers

from entries.api.serializers.picks import TEAM_LENGTH

# More than any competition has; unknown and repeated teams are refused one by one.
MOST_TEAMS = 200


class FallbackBody(serializers.Serializer[Any]):
    """The whole list, best team first."""

    teams = serializers.ListField(
        child=serializers.CharField(max_length=TEAM_LENGTH),
        max_length=MOST_TEAMS,
        help_text="Codes of teams of the competition, each once.",
    )


class FallbackOut(serializers.Serializer[Any]):
    """The list as it stands."""

    teams = serializers.ListField(child=serializers.CharField(), read_only=True)
    saved_at = serializers.DateTimeField(read_only=True, allow_null=True, help_text="Null where none was ever saved.")
