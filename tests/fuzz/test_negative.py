"""Bodies that nobody should send, to every operation that takes one, by somebody who may.

What the schema does not allow is refused with 4xx, in the envelope, with a documented code, and nothing is written;
what it happens to allow is answered with anything but a crash.
"""

import json
from collections import Counter
from typing import Any

import jsonschema_rs
import pytest

from config.api.docs import whole_schema
from config.api.operations import UNSET
from tests.fuzz.calls import taken_back
from tests.fuzz.negative import Attack, attacks
from tests.security.matrix.bodies import body_of, filled
from tests.security.matrix.changes import Written
from tests.security.matrix.operations import Operation, operations
from tests.security.matrix.table import table
from tests.security.matrix.world import World

PARTS = 12
# What says that somebody tried, or what was answered.
NOTED = ("config_audit", "config_ratelimit", "config_idempotencykey", "accounts_session", "accounts_attempt")
WITH_BODY = [
    one for one in operations() if one.verb in ("POST", "PUT", "PATCH") and one.promised.body not in (None, UNSET)
]

pytestmark = [pytest.mark.slow, pytest.mark.longest, pytest.mark.sliced]


class Door:
    """One operation: who is let in, what it is promised to take and to answer."""

    def __init__(self, one: Operation, world: World) -> None:
        self.one, self.world = one, world
        self.client = world.client(_who_may(one))
        self.client.raise_request_exception = False
        self.path = world.path(one.route.template)
        schema = whole_schema()
        promised = schema["paths"][_templated(one.route.template, schema)][one.verb.lower()]
        self.codes = {str(status) for status in promised["responses"]}
        takes = promised["requestBody"]["content"].get("application/json", {}).get("schema", True)
        self.allows = jsonschema_rs.validator_for(
            {**json.loads(json.dumps(takes)), "components": json.loads(json.dumps(schema["components"]))}
            if takes is not True
            else True
        )

    def body(self) -> Any:
        """What it accepts, with all that may be said."""
        return {**filled(self.one.promised.body(), whole=True), **body_of(self.one, self.world)}

    def fault(self, attack: Attack) -> str:
        """What is wrong with the answer; empty where nothing is."""
        with taken_back():
            seen = Written()
            answer = self.client.generic(
                self.one.verb,
                self.path,
                attack.raw,
                content_type="application/json",
                headers={"Idempotency-Key": "negative-0123456789"},
            )
            written = [row for row in seen.rows() if not row.startswith(NOTED)] if answer.status_code >= 400 else []
        told = f"{attack.what}: {answer.status_code} {answer.content[:300]!r}"
        if str(answer.status_code) not in self.codes or answer.status_code >= 500:
            return f"undocumented: {told}"
        if answer.status_code >= 400:
            error = answer.json()
            is_envelope = error["success"] is False and error["error"]["code"] and error["meta"]["request_id"]
            return "" if is_envelope and not written else f"wrote {written}: {told}"
        if not attack.is_json or not self.allows.is_valid(attack.said):
            return f"accepted: {told}"
        return ""


def _who_may(one: Operation) -> str:
    cells = table()[one.name]
    return next((kind for kind in ("owner", "moderator", "finance") if cells[kind] < 300), "admin")


def _templated(template: str, schema: dict[str, Any]) -> str:
    """The same address as the schema writes it, whatever it calls the parts."""
    wanted = ["{}" if part.startswith("<") else part for part in template.split("/")]
    for path in schema["paths"]:
        if ["{}" if part.startswith("{") else part for part in path.split("/")] == wanted:
            return path
    raise LookupError(template)


@pytest.mark.django_db
@pytest.mark.parametrize("part", range(PARTS))
def test_what_nobody_should_send_is_refused_and_changes_nothing(world: World, double, part: int):
    faults, tried = [], Counter()
    for one in WITH_BODY[part::PARTS]:
        door = Door(one, world)
        for attack in attacks(door.body()):
            tried[one.name] += 1
            if fault := door.fault(attack):
                faults.append(f"{one.name}: {fault}")
    print(f"\n{sum(tried.values())} attacks on {len(tried)} operations")
    assert tried
    assert faults == [], f"{len(faults)} faults\n" + "\n".join(faults[:100])
