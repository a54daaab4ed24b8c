"""The finance reports, by kind. A new one is a module with a `REPORT`, and a line here."""

from payments.reports import (
    account_statement,
    audit,
    audit_log,
    discrepancies,
    disputes,
    entries,
    journal,
    open_items,
    payments,
    pool_profit_and_loss,
    pool_summary,
    pot_liability,
    provider_payouts,
    refunds,
    tax_year,
    trial_balance,
    winner_payouts,
)
from payments.reports.base import Narrowing, Report

# In the order in which people are shown them.
MODULES = (
    payments,
    refunds,
    disputes,
    provider_payouts,
    winner_payouts,
    journal,
    trial_balance,
    account_statement,
    pool_profit_and_loss,
    pot_liability,
    open_items,
    discrepancies,
    tax_year,
    audit_log,
    audit,
    entries,
    pool_summary,
)
REPORTS: dict[str, Report] = {module.REPORT.kind: module.REPORT for module in MODULES}

__all__ = ["REPORTS", "Narrowing", "Report"]
