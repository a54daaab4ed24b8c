"""Walks from one operation to the next along the schema's links: what is made is read, changed, paid, ended."""

from collections import Counter

import pytest
from hypothesis import seed as seeded
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test
from schemathesis.generation.stateful.state_machine import normalize_name

from tests.fuzz.calls import ROLES, SEED, UNHURRIED, Fuzz, says_all, taken_back
from tests.fuzz.untold import LEFT_OUT, may_be_refused
from tests.security.matrix.table import table

WALKS = 3
STEPS = 12
EXAMPLES = 10

pytestmark = [pytest.mark.slow, pytest.mark.sliced]


@pytest.fixture(scope="package")
def walks(schema):
    """Along all links; made once, since it takes long."""
    return schema.exclude(path=[label.split(" ", 1)[1] for label in LEFT_OUT]).as_state_machine()


def begun(walks, role: str):
    """Only where this role is let in without naming anything: what begins with a made-up id ends there."""
    let_in = {name for name, cells in table().items() if "<" not in name and cells[ROLES[role]] < 300}
    labels = walks._root_labels & let_in
    rules = walks.root_rules & {normalize_name(f"RANDOM -> {label}") for label in labels}
    shut = dict.fromkeys(walks.root_rules - rules)
    return type("Begun", (walks,), {**shut, "root_rules": rules, "_root_labels": labels})


def machine(walks, fuzz: Fuzz, role: str, followed: Counter[str]):
    """Walks of one role; each ends where it began. Counts the links that were `followed` to something that is there."""

    class Walk(begun(walks, role)):
        def setup(self):
            self.world = taken_back()
            self.world.__enter__()

        def teardown(self):
            self.world.__exit__(None, None, None)

        def before_call(self, case):
            # The whole of what there is leads on; what a made-up filter or cursor leaves of it seldom does.
            if case.operation.method == "get":
                case.query.clear()

        def step(self, input):
            output = super().step(input)
            if input.transition is not None and input.is_applied and output.response.status_code < 300:
                followed[input.transition.id] += 1
            return output

        def get_call_kwargs(self, case):
            return {"headers": fuzz.headers(role)}

        def validate_response(self, response, case, additional_checks=(), **kwargs):
            fuzz.ended[f"{response.status_code}"] += 1
            if not says_all(case):
                return
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
def test_no_walk_finds_anything(walks, fuzz: Fuzz, number: int, role: str):
    followed: Counter[str] = Counter()
    walk = machine(walks, fuzz, role, followed)
    seeded(SEED + number)(walk)
    run_state_machine_as_test(walk, settings=settings(UNHURRIED, max_examples=EXAMPLES, stateful_step_count=STEPS))
    print(f"\n{role} followed {followed.total()} links of {len(followed)} kinds")
    assert followed
