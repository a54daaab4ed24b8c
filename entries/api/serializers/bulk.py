"""What one of many asked for at once was refused with."""

from typing import Any

from rest_framework import serializers

from config.errors import Code, DomainError


class BulkErrorOut(serializers.Serializer[Any]):
    """Why one of them was refused, in the words and codes of any other refusal."""

    code = serializers.ChoiceField([code.value for code in Code], read_only=True)
    message = serializers.CharField(read_only=True)
    details = serializers.DictField(read_only=True)


def told(refusal: DomainError | None) -> dict[str, Any] | None:
    """The refusal as `BulkErrorOut` takes it."""
    if refusal is None:
        return None
    return {"code": refusal.code, "message": refusal.message, "details": refusal.details}
