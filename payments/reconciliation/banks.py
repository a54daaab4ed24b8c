"""Banks, every night (L5): lines whose payouts or records came later, and payouts that the bank should have by now."""

from payments.bank.matching import match_all_lines
from payments.bank.overdue import look_for_overdue_payouts
from payments.models import BankLine, BankLineState, ReconciliationRun, RunKind, RunPhase
from payments.providers import online_provider
from payments.reconciliation.runs import start_or_resume


def check_banks() -> ReconciliationRun | None:
    """Match what waits, and put before a person what is missing; None while another process does."""
    return start_or_resume(kind=RunKind.BANK, livemode=online_provider().livemode, steps={RunPhase.CHECKING: _check})


def _check(run: ReconciliationRun) -> None:
    matched, overdue = match_all_lines(), look_for_overdue_payouts()
    waiting = BankLine.objects.filter(status=BankLineState.WAITING).count()
    counts = {"bank_unmatched": waiting, "payout_not_in_bank": overdue}
    run.found = {kind: count for kind, count in counts.items() if count}
    run.healed = {"bank_unmatched": matched} if matched else {}
    run.save(update_fields=["found", "healed"])
