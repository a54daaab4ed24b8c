"""The rules: for each kind of discrepancy, the queries that find it."""

from payments.reconciliation.rules import lists, movements, rows
from payments.reconciliation.rules.base import Of, Rule

RULES: tuple[Rule, ...] = (*movements.RULES, *lists.RULES, *rows.RULES)

__all__ = ["RULES", "Of", "Rule"]
