"""Every operation, called as everybody with whatever the schema allows and with what it does not.

All checks of schemathesis: no 5xx, only documented statuses, types, headers and shapes, what is allowed is accepted,
what is not is refused, no answer without the credentials that it asks for.
"""

import pytest

from tests.fuzz.calls import ROLES, Fuzz

PARTS = 12

pytestmark = [pytest.mark.slow, pytest.mark.sliced]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("part", range(PARTS))
def test_no_call_finds_anything(fuzz: Fuzz, part: int, role: str):
    operations = fuzz.operations(part, PARTS)
    for operation in operations:
        fuzz.attack(operation, role)
    assert operations
    assert not fuzz.findings, f"{len(fuzz.findings)} findings\n\n" + "\n\n".join(fuzz.findings)
    assert fuzz.is_known(role) is (role != "anonymous")
