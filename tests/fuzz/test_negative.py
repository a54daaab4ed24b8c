"""Bodies that nobody should send, to every operation that takes one, by somebody who may.

What the schema does not allow is refused with 4xx, in the envelope, with a documented code, and nothing is written;
what it happens to allow is answered with anything but a crash.
"""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from config.api.docs import whole_schema
from config.api.examples import Examples
from config.api.operations import UNSET
from tests.factories.accounts import PASSWORD
from tests.fuzz.calls import taken_back
from tests.fuzz.doors import is_still_known, promised, validator, who_may
from tests.fuzz.negative import Attack, attacks, of_fields
from tests.security.matrix.bodies import body_of
from tests.security.matrix.changes import Written
from tests.security.matrix.operations import Operation, operations
from tests.security.matrix.world import World

PARTS = 12
# What says that somebody tried, or what was answered.
NOTED = ("config_audit", "config_ratelimit", "accounts_session", "accounts_attempt")
WITH_BODY = [
    one for one in operations() if one.verb in ("POST", "PUT", "PATCH") and one.promised.body not in (None, UNSET)
]
# What the fields do not tell, so that it is the attack alone that may be refused.
SPOKEN: dict[str, dict[str, Any]] = {
    "POST /api/v1/auth/token": {"email": "owner@matrix.test", "password": PASSWORD},
    "POST /api/v1/auth/reauthenticate": {"password": PASSWORD},
    "POST /api/v1/auth/password/change": {"current_password": PASSWORD, "new_password": "another horse battery"},
    "POST /api/v1/auth/password/reset/confirm": {"new_password": "another horse battery"},
    "POST /api/v1/me/email": {"email": "new@matrix.test", "password": PASSWORD},
    "PUT /api/v1/me/identity": {"tax_country": "US"},
    "PUT /api/v1/me/spending-limits": {"currency": "usd"},
    "POST /api/v1/requests/<pk>/manual-payment": {"currency": "usd"},
    "POST /api/v1/bank-statements": {"content_base64": "ZGF0ZSx0ZXh0LGFtb3VudAo="},
    "POST /api/v1/export-schedules": {"report": "trial_balance"},
}
# Of the world, where the usual thing is past what is tried.
INSTEAD_OF = {
    "POST /api/v1/pools/<pk>/cancel": {"pools": "draft"},
    "POST /api/v1/pools/<pool_id>/rules": {"pools": "draft"},
}

pytestmark = [pytest.mark.slow, pytest.mark.sliced]


class Door:
    """One operation: who is let in, what it is promised to take and to answer."""

    def __init__(self, one: Operation, world: World) -> None:
        self.one, self.world = one, world
        self.client = world.client(who_may(one))
        self.client.raise_request_exception = False
        self.path = world.path(one.route.template, **INSTEAD_OF.get(one.name, {}))
        said = promised(one)
        self.codes = {str(status) for status in said["responses"]}
        takes = said["requestBody"]["content"]["application/json"]["schema"]
        self.allows = validator(takes)
        self.may_be_empty = not said["requestBody"].get("required")
        self.examples: dict[str, Any] = Examples(whole_schema()["components"]["schemas"]).of(takes)

    def bodies(self) -> Iterator[Attack]:
        """Attacks on a body that is as large as is accepted, and on what cannot be said beside the rest of it."""
        body = json.loads(json.dumps({**body_of(self.one, self.world), **SPOKEN.get(self.one.name, {})}))
        assert self.allows.is_valid(body), f"{self.one.name} does not take {body}"
        aside = []
        for name, value in self.examples.items():
            more = {**body, name: body.get(name, value)}
            if self.is_taken(more):
                body = more
            else:
                aside.append(more)
        yield from attacks(body)
        for more in aside:
            yield from of_fields(more, only=set(more) - set(body))

    def is_taken(self, body: Any) -> bool:
        """Whether nothing is said against the body itself."""
        with taken_back():
            return self.allows.is_valid(body) and self.knock(json.dumps(body).encode()).status_code != 400

    def is_promised(self, attack: Attack) -> bool:
        """Whether the schema takes it."""
        if not attack.raw:
            return self.may_be_empty
        return attack.is_json and self.allows.is_valid(attack.said)

    def knock(self, raw: bytes) -> Any:
        """The answer to these bytes."""
        return self.client.generic(
            self.one.verb,
            self.path,
            raw,
            content_type="application/json",
            headers={"Idempotency-Key": "negative-0123456789"} if self.one.promised.key_required else {},
        )

    def fault(self, attack: Attack) -> str:
        """What is wrong with the answer; empty where nothing is."""
        with taken_back():
            seen = Written()
            answer = self.knock(attack.raw)
            written = [row for row in seen.rows() if not row.startswith(NOTED)] if answer.status_code >= 400 else []
        told = f"{attack.what}: {answer.status_code} {answer.content[:300]!r}"
        if str(answer.status_code) not in self.codes or answer.status_code >= 500:
            return f"undocumented: {told}"
        if answer.status_code >= 400:
            error = answer.json()
            is_envelope = error["success"] is False and error["error"]["code"] and error["meta"]["request_id"]
            return "" if is_envelope and not written else f"wrote {written}: {told}"
        return "" if self.is_promised(attack) else f"accepted: {told}"


@pytest.fixture
def quick_passwords(settings, world):
    """What is sent is tried, not how passwords are kept."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    world.people.owner.set_password(PASSWORD)
    world.people.owner.save(update_fields=["password"])


@pytest.mark.django_db
@pytest.mark.parametrize("part", range(PARTS))
def test_what_nobody_should_send_is_refused_and_changes_nothing(world: World, double, quick_passwords, part: int):
    faults, tried = [], Counter()
    for one in WITH_BODY[part::PARTS]:
        door = Door(one, world)
        for attack in door.bodies():
            tried[one.name] += 1
            if fault := door.fault(attack):
                faults.append(f"{one.name}: {fault}")
        assert is_still_known(door.client)
    print(f"\n{sum(tried.values())} attacks on {len(tried)} operations")
    assert tried
    assert faults == [], f"{len(faults)} faults\n" + "\n".join(faults[:100])
