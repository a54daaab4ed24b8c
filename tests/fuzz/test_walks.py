"""Walks from one operation to the next along the schema's links: what is made is read, changed, paid, ended."""

import pytest
from hypothesis import seed as seeded
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.fuzz.calls import ROLES, SEED, UNHURRIED, Fuzz, taken_back
from tests.fuzz.untold import LEFT_OUT, may_be_refused

WALKS = 3
STEPS = 12
EXAMPLES = 10

pytestmark = [pytest.mark.slow, pytest.mark.longest, pytest.mark.sliced]


def machine(fuzz: Fuzz, role: str):
    """Walks of one role; each ends where it began."""
    schema = fuzz.schema.exclude(path=[label.split(" ", 1)[1] for label in LEFT_OUT])

    class Walk(schema.as_state_machine()):
        def setup(self):
            self.world = taken_back()
            self.world.__enter__()

        def teardown(self):
            self.world.__exit__(None, None, None)

        def get_call_kwargs(self, case):
            return {"headers": fuzz.headers(role)}

        def validate_response(self, response, case, additional_checks=(), **kwargs):
            fuzz.ended[f"{response.status_code}"] += 1
            case.validate_response(
                response,
                additional_checks=list(additional_checks),
                excluded_checks=may_be_refused(case.operation.label, response),
                headers=fuzz.headers(role),
                transport_kwargs={"headers": fuzz.headers(role), "app": case.operation.app},
                recorder=self.recorder,
            )

    return Walk


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("number", range(WALKS))
def test_no_walk_finds_anything(fuzz: Fuzz, number: int, role: str):
    walk = machine(fuzz, role)
    seeded(SEED + number)(walk)
    run_state_machine_as_test(walk, settings=settings(UNHURRIED, max_examples=EXAMPLES, stateful_step_count=STEPS))
    assert fuzz.ended
