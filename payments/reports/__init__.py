"""The finance reports, by kind. A new one is a module with a `REPORT`, and a line here."""

from payments.reports import entries, payments, pool_summary
from payments.reports.base import Narrowing, Report

REPORTS: dict[str, Report] = {report.kind: report for report in (payments.REPORT, entries.REPORT, pool_summary.REPORT)}

__all__ = ["REPORTS", "Narrowing", "Report"]
