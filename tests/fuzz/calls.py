"""Calls that schemathesis makes up from the schema, each in a world that is put back afterwards."""

import json
import os
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from django.core.cache import caches
from django.db import connection
from hypothesis import HealthCheck, Phase, assume, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import FailureGroup
from schemathesis.transport.serialization import Binary

from config.api.docs import whole_schema
from tests.fuzz.untold import LEFT_OUT, may_be_refused
from tests.security.matrix.knocking import taken_back as undone
from tests.security.matrix.world import World

# Of each operation, for each role: so many that the schema allows, and as many that it does not.
CASES = int(os.environ.get("OUTLAST_FUZZ_CASES", "12"))
SEED = int(os.environ["OUTLAST_PROPERTY_SEED"])
# What the house calls them, and who of the world that is.
ROLES = {"anonymous": "anonymous", "player": "owner", "staff": "moderator", "finance": "finance", "admin": "admin"}
# Beside the library's own: what a rule of the contest refuses is well-formed; a body may be too large, or too deep.
REFUSED_BY_A_RULE = "422"
CHECKS = {
    "positive_data_acceptance": {
        "expected-statuses": ["2xx", "3xx", "401", "403", "404", "409", REFUSED_BY_A_RULE, "429"]
    },
    "negative_data_rejection": {
        "expected-statuses": ["400", "401", "403", "404", "405", "406", "409", "413", "415", REFUSED_BY_A_RULE, "429"]
    },
}
UNHURRIED = settings(
    max_examples=CASES,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
    print_blob=False,
    report_multiple_bugs=False,
)


def load(application: Any) -> Any:
    """The schema, as the application tells it."""
    config = SchemathesisConfig.from_dict(
        {
            "checks": CHECKS,
            "generation": {"allow-x00": True},
            # Along links that the schema has, none that are guessed: `request_id` is the id of no request.
            "phases": {"stateful": {"generation": {"mode": "positive"}, "inference": {"algorithms": []}}},
        }
    )
    schema = schemathesis.openapi.from_dict(json.loads(json.dumps(whole_schema())), config=config)
    schema.app = application
    return schema


def says_all(case: Any) -> bool:
    """Whether nothing of the call is lost on the way: what is not sent cannot be refused.

    In a query or a form nothing stands for an empty list or object. An empty file this client ends before it has begun
    it.
    """
    parts = list(case.body.values()) if isinstance(case.body, dict) else []
    of_a_form = [] if "json" in (case.media_type or "") else parts
    said = [*(case.query or {}).values(), *of_a_form]
    files = [one for part in parts for one in (part if isinstance(part, list) else [part]) if isinstance(one, Binary)]
    return not any(value in ([], {}) for value in said) and all(file.data for file in files)


@contextmanager
def taken_back() -> Iterator[None]:
    """Whatever is written meanwhile is not; limits begin anew. What would be refused at the commit is refused here."""
    caches["limits"].clear()
    with undone():
        yield
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


@dataclass
class Fuzz:
    """One test's calls: of one role, to some of the operations."""

    schema: Any
    world: World
    ended: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)

    def operations(self, part: int, of: int) -> list[Any]:
        """Every `of`-th operation, from the part-th on."""
        found = [result.ok() for result in self.schema.get_all_operations()]
        return [one for one in found if one.label not in LEFT_OUT][part::of]

    def attack(self, operation: Any, role: str) -> None:
        """Both kinds of calls to one operation. A finding is kept, and the next operation tried."""
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            try:
                self._send(operation, role, mode)
            except (Exception, FailureGroup) as finding:  # noqa: BLE001  # every kind is one; all are told at the end
                self.findings.append(f"{operation.label} as {role}, {mode.value} data:\n{finding}")

    def headers(self, role: str) -> dict[str, str]:
        """As whom a call is made; the answer is not packed, since this client does not unpack."""
        authorization = self.world.credentials.get(ROLES[role], "")
        return {"Accept-Encoding": "identity"} | ({"Authorization": authorization} if authorization else {})

    def is_known(self, role: str) -> bool:
        """Whether the role is still signed in: to whom is not, every answer is the same.

        Asked as all else is: Django's own client would have connections end with requests again.
        """
        with taken_back():
            return self.schema["/api/v1/me"]["GET"].Case().call(headers=self.headers(role)).status_code == 200

    def _send(self, operation: Any, role: str, mode: GenerationMode) -> None:
        @seed(SEED)
        @UNHURRIED
        @given(case=self._strategy(operation, mode))
        def send(case: Any) -> None:
            assume(says_all(case))
            with taken_back():
                response = case.call(headers=self.headers(role))
                self.ended[f"{response.status_code}"] += 1
                case.validate_response(
                    response,
                    headers=self.headers(role),
                    transport_kwargs={"headers": self.headers(role), "app": operation.app},
                    excluded_checks=may_be_refused(operation.label, response),
                )

        send()

    def _strategy(self, operation: Any, mode: GenerationMode) -> Any:
        """Calls for anything, and for what is there. Where none can be made up, sending is a finding."""
        known = self._known(operation.path)
        made_up = operation.as_strategy(generation_mode=mode)
        if not known:
            return made_up
        return st.one_of(operation.as_strategy(generation_mode=mode, path_parameters=known), made_up)

    def _known(self, path: str) -> dict[str, Any]:
        """What of an address is in the world: `/pools/{id}` is the id of its pool."""
        values = {}
        for before, name in re.findall(r"([\w-]+)/\{(\w+)\}", path):
            if before in self.world.named:
                it = self.world.named[before]
                values[name] = self.world.rows[it].pk if it in self.world.rows else it
        return values

    def told(self) -> str:
        """For the end of a test."""
        counts = ", ".join(f"{status}: {count}" for status, count in sorted(self.ended.items()))
        return f"{sum(self.ended.values())} cases, seed {SEED} ({counts})"
