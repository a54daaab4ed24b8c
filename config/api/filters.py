"""Filters that many lists share. Each list declares those it has; what it does not declare is refused.

Instants are compared as everywhere in the house: from the first one on, up to and without the last one.
"""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

WINDOW = {"created_since": "created_at__gte", "created_before": "created_at__lt"}


class CreatedFilter(serializers.Serializer[Any]):
    """A window of time, for lists of what was made one after the other."""

    created_since = serializers.DateTimeField(required=False, help_text="Made at this instant or later.")
    created_before = serializers.DateTimeField(required=False, help_text="Made before this instant.")


def lookups(asked: Mapping[str, Any], **names: str) -> dict[str, Any]:
    """The conditions of what was asked for; `names` has those filters that are not called like their column."""
    return {names.get(key) or WINDOW.get(key, key): value for key, value in asked.items()}
