"""Scalars that GraphQL does not have: whole numbers past 32 bits, and instants as the rest of the API writes them."""

from datetime import UTC, datetime
from typing import Any, NewType

import strawberry
from graphql import GraphQLError

LARGEST = 2**63 - 1
BigInt = NewType("BigInt", int)


def _read_number(value: Any) -> int:
    """Ids and amounts are never negative here."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST:
        raise GraphQLError(f"BigInt is a whole number from 0 to {LARGEST}.")
    return value


def _write_number(value: Any) -> int:
    return int(value)


def _write_instant(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _read_instant(value: Any) -> datetime:
    raise GraphQLError("No question takes an instant.")


SCALARS: dict[object, Any] = {
    BigInt: strawberry.scalar(
        name="BigInt",
        description="A whole number of 64 bits: ids, and amounts in minor units of their currency.",
        serialize=_write_number,
        parse_value=_read_number,
    ),
    datetime: strawberry.scalar(
        name="DateTime",
        description="An instant in UTC by ISO 8601, as 2026-09-10T00:20:00Z.",
        serialize=_write_instant,
        parse_value=_read_instant,
    ),
}
