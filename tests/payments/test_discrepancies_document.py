"""The handbook of the queue names every kind, whether it is urgent, and the acts that the table allows."""

import re
from pathlib import Path

from payments.models import DiscrepancyKind
from payments.models.discrepancy import URGENT
from payments.reconciliation.dispositions import DISPOSITIONS, Action

PAGE = Path(__file__).parents[2] / "docs" / "discrepancies.md"
KIND = re.compile(r"^\*\*`(\w+)`\*\*( \(urgent\))? — .*?^\*Acts: ([a-z_, ]+)\.\*$", re.MULTILINE | re.DOTALL)


def test_the_handbook_says_of_each_kind_what_the_table_says():
    told = {kind: (bool(urgent), acts) for kind, urgent, acts in KIND.findall(PAGE.read_text())}

    assert told == {str(kind): (kind in URGENT, _acts(kind)) for kind in DiscrepancyKind}


def _acts(kind):
    acts = [act for act in DISPOSITIONS[kind].actions if act not in (Action.ACKNOWLEDGE, Action.RESOLVE)]
    return ", ".join(acts) or "none"
