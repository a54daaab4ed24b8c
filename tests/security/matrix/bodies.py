"""What is sent to each operation: a body that it accepts, so that who asks is all that is left to refuse."""

from datetime import UTC, date, datetime
from typing import Any

from rest_framework import serializers

from config.api.operations import UNSET
from tests.security.matrix.operations import Operation
from tests.security.matrix.world import World

PASSWORD = "a long enough password"
# By verb and address: what the fields alone do not tell.
SPOKEN: dict[str, dict[str, Any]] = {
    "PUT /api/v1/entries/<entry_id>/picks/<number>": {"team": "BAT"},
    "PUT /api/v1/entries/<entry_id>/fallback": {"teams": ["BAT", "ANT"]},
    "PUT /api/v1/games/<pk>/result": {"status": "cancelled"},
    "POST /api/v1/pools/<pool_id>/amendments": {"changes": {"tie": "win"}, "reason": "Agreed."},
    "POST /api/v1/pools": {"competition": "live", "name": "New", "first_round": 1, "last_round": 3},
    "POST /api/v1/auth/register": {
        "email": "new@matrix.test", "password": PASSWORD, "display_name": "New", "date_of_birth": "1990-01-01",
        "country": "US",
    },
    "PATCH /api/v1/me": {"display_name": "Somebody"},
    "POST /api/v1/exports": {"report": "trial_balance", "format": "csv"},
    "POST /api/v1/periods": {"first_day": "2026-02-01"},
    "POST /api/v1/webhook-endpoints": {"url": "https://hooks.matrix.test/", "events": ["pool.ended"]},
    "PATCH /api/v1/webhook-endpoints/<pk>": {"name": "Somebody"},
}  # fmt: skip


def sample(field: Any) -> Any:
    """A value that the field takes."""
    if isinstance(field, serializers.MultipleChoiceField):
        return [next(iter(field.choices))]
    if isinstance(field, serializers.ChoiceField):
        return next(iter(field.choices))
    if isinstance(field, serializers.BooleanField):
        return True
    if isinstance(field, serializers.IntegerField):
        return max(1, field.min_value or 1)
    if isinstance(field, serializers.DateTimeField):
        return datetime(2026, 11, 1, tzinfo=UTC).isoformat()
    if isinstance(field, serializers.DateField):
        return date(2026, 1, 1).isoformat()
    if isinstance(field, serializers.UUIDField):
        return "00000000-0000-4000-8000-000000000000"
    if isinstance(field, serializers.EmailField):
        return "somebody@matrix.test"
    if isinstance(field, serializers.ListField):
        return [sample(field.child)]
    if isinstance(field, serializers.ListSerializer):
        return [filled(field.child)]
    if isinstance(field, serializers.Serializer):
        return filled(field)
    if isinstance(field, serializers.DictField | serializers.JSONField):
        return {}
    return "something"


def filled(serializer: Any, *, whole: bool = False) -> dict[str, Any]:
    """What has to be said; everything with `whole`."""
    return {
        name: sample(field)
        for name, field in serializer.fields.items()
        if not field.read_only and (whole or field.required)
    }


def body_of(operation: Operation, world: World) -> dict[str, Any]:
    """The body for the world as it is."""
    if operation.name == "PUT /api/v1/picks":
        return {"picks": [{"entry": world.rows["entry"].pk, "round": 1, "team": "BAT"}]}
    if operation.name == "POST /api/v1/rulings":
        return {"kind": "disqualify", "entry": world.rows["foreign entry"].pk, "reason": "Seen."}
    if operation.name in ("POST /api/v1/requests/approve", "POST /api/v1/requests/reject"):
        reason = {"reason": "Seen."} if operation.name.endswith("reject") else {}
        return {"requests": [world.rows["request"].pk], **reason}
    if operation.name in SPOKEN:
        return SPOKEN[operation.name]
    declared = operation.promised.body
    return {} if declared in (None, UNSET) else filled(declared())
