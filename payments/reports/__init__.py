"""The finance reports, by kind. A new one is a module with a `REPORT`, and a line here."""

from payments.reports import (
    discrepancies,
    disputes,
    entries,
    open_items,
    payments,
    pool_summary,
    refunds,
)
from payments.reports.base import Narrowing, Report

# In the order in which people are shown them.
MODULES = (
    payments,
    refunds,
    disputes,
    discrepancies,
    open_items,
    entries,
    pool_summary,
)
REPORTS: dict[str, Report] = {module.REPORT.kind: module.REPORT for module in MODULES}

__all__ = ["REPORTS", "Narrowing", "Report"]
