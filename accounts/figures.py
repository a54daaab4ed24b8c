"""Figures of sign-in. Who it was stands in the audit, never here."""

from config import metrics

LOGIN_FAILED = metrics.counter("login_failed", "Sign-ins that were refused, by what was wrong.", ["because"])
REFRESH_REUSE = metrics.counter("refresh_reuse", "Refresh tokens that were used again: stolen, or a bad client.")

for _because in ("credentials", "second_factor"):
    LOGIN_FAILED.labels(_because)
