"""One thing that happened, in the words of the language of the page."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db import models

from config import words
from config.audit import StatusChange
from config.names import named
from config.phrases import Name, tell
from config.words import spoken


@dataclass(frozen=True)
class Line:
    """`link` is the admin's name of a page and the row on it; the row that tells this in full."""

    at: datetime
    what: str
    actor_id: int | None = None
    why: str = ""
    details: Mapping[str, str] = field(default_factory=dict)
    link: tuple[str, int] | None = None


def changes(
    table: type[StatusChange], noun: Callable[[int], str], page: str, rows: Mapping[int, str], *, name: str = ""
) -> Iterator[Line]:
    """The history of these rows, each with the currency of its amounts, in one query.

    `noun` says what a row is; `name` stands for the row where there is only one.
    """
    for change in table._default_manager.filter(subject_id__in=list(rows)).order_by("id"):
        facts = {"row": named(noun(change.subject_id)), "number": name or change.subject_id}
        if change.from_status == change.to_status:
            what = tell("{row} {number}: changed", **facts)
        elif not change.from_status:
            what = tell("{row} {number}: made, {state}", state=Name(spoken(change.to_status)), **facts)
        else:
            what = tell("{row} {number}: {state}", state=Name(spoken(change.to_status)), **facts)
        yield Line(
            at=change.at,
            what=what,
            actor_id=change.actor_id,
            why=words.reason(change.reason),
            details=words.told(change.details, rows[change.subject_id]),
            link=(page, change.subject_id),
        )


def page_of(model: type[models.Model]) -> str:
    """The name of the page of a row."""
    return f"{model._meta.app_label}_{model._meta.model_name}_change"
