"""How versions of rules and amendments look to callers."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from pools.api.serializers import RulesBody, RulesOut
from pools.models import Amendment, AmendmentStatus, Rules
from pools.services.rules import Version
from pools.services.rules.amendments import LONGEST_REASON

# Where it may be null, the field says so, and one way more is added to these.
VALUE = {
    "oneOf": [
        {"type": ["string", "integer", "boolean"]},
        {"type": "array", "items": {"type": "integer"}},
    ]
}


@extend_schema_field(VALUE)
class ValueField(serializers.JSONField):
    """The value of a switch."""


class ChangeOut(serializers.Serializer[Any]):
    key = serializers.ChoiceField(Rules.KEYS, read_only=True)
    before = ValueField(read_only=True, allow_null=True)
    after = ValueField(read_only=True, allow_null=True)


class _BesidesOut(serializers.Serializer[Any]):
    changes = ChangeOut(many=True, read_only=True, help_text="What it changed in the version before.")
    reason = serializers.CharField(read_only=True, allow_null=True, help_text="Of an amendment; else null.")
    created_at = serializers.DateTimeField(source="rules.created_at", read_only=True)


class VersionOut(_BesidesOut, RulesOut):
    """A version of the rules, with what it changed in the one before, and why."""

    def to_representation(self, version: Version) -> dict[str, Any]:
        """The switches of its row, and what stands beside them."""
        return {**RulesOut(version.rules).data, **_BesidesOut(version).data}


class RevisionBody(RulesBody):
    """The switches to change, each with its new value."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """The same, as a whole body: a fault belongs to no field of it."""
        if not isinstance(data, Mapping):
            raise serializers.ValidationError({"rules": ["Must be an object of switches."]})
        return super().to_internal_value(data)


class AmendmentBody(serializers.Serializer[Any]):
    changes = RulesBody(help_text="The switches to change, each with its new value.")
    reason = serializers.CharField(max_length=LONGEST_REASON, help_text="Every player of the pool reads it.")


class AmendmentOut(serializers.ModelSerializer[Amendment]):
    """An amendment. Who proposed and who decided is told to staff alone."""

    pool = serializers.IntegerField(source="pool_id", read_only=True)
    changes = serializers.DictField(child=ValueField(allow_null=True), read_only=True)
    status = serializers.ChoiceField(AmendmentStatus.choices, read_only=True)
    proposed_by = serializers.SerializerMethodField()
    decided_by = serializers.SerializerMethodField()
    version = serializers.IntegerField(
        source="rules.version", read_only=True, allow_null=True, default=None, help_text="Once it is confirmed."
    )
    effective_round = serializers.IntegerField(
        source="rules.effective_round_number", read_only=True, allow_null=True, default=None
    )

    class Meta:
        model = Amendment
        fields = [
            "id", "pool", "status", "changes", "reason", "version", "effective_round", "proposed_by", "proposed_at",
            "decided_by", "decided_at",
        ]  # fmt: skip
        read_only_fields = fields

    def get_proposed_by(self, amendment: Amendment) -> int | None:
        """The person's id; null for players."""
        return amendment.proposed_by_id if self.context.get("for_staff") else None

    def get_decided_by(self, amendment: Amendment) -> int | None:
        """The person's id; null for players, and while nobody has decided."""
        return amendment.decided_by_id if self.context.get("for_staff") else None
