"""Reading the body of a control: each field by its type, nothing unknown, and the object that it means."""

from collections.abc import Collection
from typing import Any

from config.local.stripe.errors import ResourceMissing
from config.local.stripe.objects.charges import succeeded_charge_of
from config.local.stripe.wire import Json
from config.local.stripe.work import Work

NOUNS = {"charge": "charge", "payment_intent": "payment_intent", "session": "checkout.session"}


class Refused(Exception):
    """A control request that makes no sense; the message says why."""


def only(body: Json, **defaults: Any) -> Json:
    """The fields with their defaults. Refuses others, and values of another type than the default's."""
    unknown = set(body) - set(defaults)
    if unknown:
        raise Refused(f"unknown: {', '.join(sorted(unknown))}")
    for name, value in body.items():
        expected = (int, float) if isinstance(defaults[name], float) else type(defaults[name])
        if defaults[name] is not None and not isinstance(value, expected):
            raise Refused(f"{name} has the wrong type")
    return {**defaults, **body}


def whole(body: Json, name: str, *, low: int = 1, high: int = 10**12) -> int | None:
    """A whole number, or None where none was given."""
    value = body[name]
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise Refused(f"{name} must be a whole number from {low} to {high}")
    return value


def text(body: Json, name: str, *, choices: Collection[str] = ()) -> str:
    value = body[name]
    if not isinstance(value, str) or not value:
        raise Refused(f"{name} must be given")
    if choices and value not in choices:
        raise Refused(f"{name} must be one of {', '.join(sorted(choices))}")
    return value


def labels(body: Json, name: str) -> dict[str, str]:
    """Metadata: texts by name."""
    value = body[name]
    if not isinstance(value, dict) or not all(isinstance(part, str) for part in value.values()):
        raise Refused(f"{name} must hold texts by name")
    return value


def meant_charge(work: Work, body: Json) -> Json:
    """The successful charge named by its own id, its payment intent, or its session; exactly one of them."""
    named = [name for name in NOUNS if body[name] is not None]
    if len(named) != 1:
        raise Refused("name one of charge, payment_intent, session")
    found = work.get(NOUNS[named[0]], text(body, named[0]), param=named[0])
    if named[0] == "charge":
        return found
    intent = work.find("payment_intent", found["payment_intent"] or "") if named[0] == "session" else found
    charge = succeeded_charge_of(work, intent) if intent else None
    if charge is None:
        raise ResourceMissing(f"successful charge of the {named[0]}", found["id"], param=named[0])
    return charge
