"""Journals for the programs of accountants: sums by day, account and pool, each exported once (docs/accounting.md)."""
