"""What a broken database constraint means to a caller: constraint name → code and sentence.

Two ways in. A Django constraint with a `violation_error_code` that is one of `config.errors.Code` is known by itself,
with its `violation_error_message`. Triggers and other names are registered beside their definition:

    explain("pick_before_lock", Code.DEADLINE_PASSED, "The round is locked.")

A violation of a name that nobody explained is our bug and stays a 500, except a duplicate, which a caller can meet by
racing another one: 409 VERSION_CONFLICT.
"""

from dataclasses import dataclass
from functools import cache

from django.apps import apps
from django.db import Error

from config.errors import Code

UNIQUE_VIOLATION, EXCLUSION_VIOLATION = "23505", "23P01"


@dataclass(frozen=True)
class Meaning:
    """What to tell the caller."""

    code: Code
    message: str


_explained: dict[str, Meaning] = {}
RACED = Meaning(Code.VERSION_CONFLICT, "Somebody else changed this at the same moment. Read it again and retry.")


def explain(name: str, code: Code, message: str) -> None:
    """Say what a violation of the constraint or trigger called `name` means."""
    _explained[name] = Meaning(code, message)


@cache
def declared() -> dict[str, Meaning]:
    """The constraints of all models that carry one of our codes."""
    return {
        constraint.name: Meaning(Code(constraint.violation_error_code), str(constraint.violation_error_message))
        for model in apps.get_models()
        for constraint in model._meta.constraints
        if constraint.violation_error_code in list(Code)
    }


def constraint_of(error: Error) -> str:
    """The name of the constraint or trigger that refused; empty where it was something else."""
    return getattr(getattr(error.__cause__, "diag", None), "constraint_name", None) or ""


def meaning_of(error: Error) -> Meaning | None:
    """What the database's refusal means, or None when it is a bug of ours."""
    name = constraint_of(error)
    known = _explained.get(name) or declared().get(name)
    if known is None and getattr(error.__cause__, "sqlstate", None) in (UNIQUE_VIOLATION, EXCLUSION_VIOLATION):
        return RACED
    return known
