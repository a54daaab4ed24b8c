"""The one table of what is done about each kind, and the page that shows it."""

from pathlib import Path

from payments.models import DiscrepancyKind
from payments.models.discrepancy import URGENT
from payments.reconciliation.dispositions import DISPOSITIONS, Action, Heal, is_allowed
from payments.reconciliation.rules import RULES

HEALS_IN_WORDS = {
    Heal.ASK: "asked about again",
    Heal.ADOPT: "brought back",
    Heal.BOOK: "booked",
    Heal.ALLOCATE: "tried again, else given back",
    Heal.SUSPEND: "suspended",
}
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
    assert DiscrepancyKind.MISSING_AT_PROVIDER in URGENT


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


def table():
    """As docs/reconciliation.md has it, urgent kinds first."""
    for kind in sorted(DISPOSITIONS, key=lambda kind: kind not in URGENT):
        one = DISPOSITIONS[kind]
        heals = HEALS_IN_WORDS[one.heal] if one.heal else "told at once" if kind in URGENT else "–"
        may = ", ".join(action.replace("_", " ") for action in one.actions)
        yield f"| `{kind}` | {one.means} | {heals} | {may} | {one.advice} |"


def test_the_page_tells_what_the_code_does():
    shown = PAGE.read_text().partition("<!-- dispositions -->")[2].partition("<!-- end -->")[0]
    assert [line for line in shown.splitlines() if line.startswith("| `")] == list(table())
