"""The one table of what is done about each kind, and the page that shows it."""

from pathlib import Path

import pytest

from payments.models import DiscrepancyKind
from payments.reconciliation.dispositions import DISPOSITIONS, Action, Heal, is_allowed, is_urgent, table
from payments.reconciliation.rules import RULES

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reconciliation.md"


def test_every_kind_has_one():
    assert set(DISPOSITIONS) == set(DiscrepancyKind)


def test_staff_can_always_look_after_a_row_and_close_it():
    assert all({Action.ACKNOWLEDGE, Action.RESOLVE} <= set(one.actions) for one in DISPOSITIONS.values())


def test_only_what_lies_in_suspense_is_written_off():
    written_off = {kind for kind in DISPOSITIONS if is_allowed(kind, Action.WRITE_OFF)}
    assert written_off == {DiscrepancyKind.ORPHAN_REFUND, DiscrepancyKind.UNKNOWN_MOVEMENT}


def test_what_may_be_forged_is_never_healed():
    for kind in ("missing_at_provider", "amount_mismatch", "currency_mismatch", "livemode_leak", "foreign_account"):
        assert DISPOSITIONS[DiscrepancyKind(kind)].heal is None
    assert is_urgent("missing_at_provider")


def test_what_the_provider_alone_knows_counts_as_creating():
    creating = {kind for kind, one in DISPOSITIONS.items() if one.creates}
    assert creating == {
        "missing_locally", "external_refund", "orphan_refund", "dispute_unknown", "unknown_movement",
    }  # fmt: skip


def test_rules_have_names_of_their_own_and_heal_only_what_may_be_healed():
    names = [rule.name for rule in RULES]
    assert len(names) == len(set(names))
    for rule in RULES:
        heals = DISPOSITIONS[rule.kind].heal
        assert rule.target == "NULL" or isinstance(heals, Heal), rule.name


@pytest.mark.parametrize("kind", DiscrepancyKind)
def test_the_page_tells_what_the_code_does(kind):
    shown = PAGE.read_text().partition("<!-- dispositions -->")[2].partition("<!-- end -->")[0]
    line = next(line for line in table().splitlines() if line.startswith(f"| `{kind}`"))
    assert line in shown.splitlines()
