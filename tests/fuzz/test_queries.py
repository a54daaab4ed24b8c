"""Parameters that nobody should send, to every address that is read, by somebody who may.

What the schema does not allow is refused with 4xx, in the envelope, with a documented status; what it happens to allow
is answered with anything but a crash.
"""

import re
from typing import Any
from urllib.parse import quote

import pytest

from tests.fuzz.calls import taken_back
from tests.fuzz.doors import is_still_known, promised, resolved, validator, who_may
from tests.fuzz.negative import TEXTS
from tests.security.matrix.operations import Operation, operations
from tests.security.matrix.world import World

PARTS = 6
# Sent on to another process, which does not run here.
LEFT_OUT = ("GET /api/v1/pools/<pool_id>/events",)
READ = [
    one
    for one in operations()
    if one.verb == "GET" and one.name not in LEFT_OUT and one.view.schema and not one.view.ignores_unknown
]
# What every parameter of every address is tried with.
FEW = ("an empty text", "a NUL", "beyond the basic plane", "other digits", "past any column", "long")
WHOLE = re.compile(r"-?[0-9]+")
TRUTHS = {"true": True, "false": False}

pytestmark = [pytest.mark.slow, pytest.mark.sliced]


class Door:
    """One address: who is let in, what it takes and answers."""

    def __init__(self, one: Operation, world: World) -> None:
        self.client = world.client(who_may(one))
        self.client.raise_request_exception = False
        self.path = world.path(one.route.template)
        said = promised(one)
        self.codes = {str(status) for status in said["responses"]}
        parameters = [resolved(parameter) for parameter in said.get("parameters", [])]
        self.takes = {one["name"]: one["schema"] for one in parameters if one["in"] == "query"}

    def faults(self, known: set[str]) -> list[str]:
        """Of all that is tried; of what is `known`, since other lists take the same, only what is like nothing else."""
        found = []
        for name, schema in self.takes.items():
            allows = validator(schema)
            texts = {what: TEXTS[what] for what in FEW} if f"{name} {schema}" in known else TEXTS
            known.add(f"{name} {schema}")
            found += [
                self._fault(f"{name}={quote(text)}", allows.is_valid(_meant(schema, text)), what)
                for what, text in texts.items()
            ]
        found += [
            self._fault(f"{name}={raw}", None, "no Unicode") for name in self.takes for raw in ("%FF", "%ED%A0%80")
        ]
        found += [self._fault(f"{name}=1&{name}=2", False, "twice") for name in self.takes if name != "fields"]
        found += [self._fault(f"{name}=1", False, "unknown") for name in ("nothing", "id__in", "%00", "x" * 10_000)]
        return [fault for fault in found if fault]

    def _fault(self, query: str, allowed: bool | None, what: str) -> str:
        """Empty where nothing is wrong; what nobody can say is allowed or not has to be answered, no more."""
        with taken_back():
            answer = self.client.get(f"{self.path}?{query}")
        told = f"{query[:80]} ({what}): {answer.status_code}"
        if str(answer.status_code) not in self.codes or answer.status_code >= 500:
            return f"undocumented: {told}"
        if answer.status_code >= 400:
            error = answer.json()
            return "" if error["success"] is False and error["error"]["code"] else f"no envelope: {told}"
        return f"accepted: {told}" if allowed is False else ""


def _meant(schema: dict[str, Any], text: str) -> Any:
    """The value of the schema's type that is written so, else the text."""
    if schema["type"] == "array":
        return text.split(",")
    if "integer" in schema["type"] and WHOLE.fullmatch(text):
        return int(text)
    return TRUTHS.get(text, text) if "boolean" in schema["type"] else text


@pytest.mark.django_db
@pytest.mark.parametrize("part", range(PARTS))
def test_no_parameter_is_taken_for_another(world: World, double, part: int):
    faults, known = [], set()
    for one in READ[part::PARTS]:
        door = Door(one, world)
        faults += [f"{one.name}: {fault}" for fault in door.faults(known)]
        assert is_still_known(door.client)
    assert READ
    assert faults == [], f"{len(faults)} faults\n" + "\n".join(faults[:100])
