"""The finance reports, by kind. A new one is a module with a `REPORT`, and a line here."""

from payments.reports import (
    account_statement,
    entries,
    journal,
    payments,
    pool_profit_and_loss,
    pool_summary,
    pot_liability,
    trial_balance,
)
from payments.reports.base import Narrowing, Report

# In the order in which people are shown them.
MODULES = (
    payments,
    entries,
    pool_summary,
    journal,
    trial_balance,
    account_statement,
    pool_profit_and_loss,
    pot_liability,
)
REPORTS: dict[str, Report] = {module.REPORT.kind: module.REPORT for module in MODULES}

__all__ = ["REPORTS", "Narrowing", "Report"]
