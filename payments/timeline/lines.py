"""One thing that happened, in words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db import models

from config import words
from config.audit import StatusChange
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
    table: type[StatusChange], noun: str, page: str, rows: Mapping[int, str], *, name: str = ""
) -> Iterator[Line]:
    """The history of these rows, each with the currency of its amounts, in one query.

    `name` stands for the row where there is only one.
    """
    for change in table._default_manager.filter(subject_id__in=list(rows)).order_by("id"):
        moved = spoken(change.to_status)
        if change.from_status == change.to_status:
            moved = "changed"
        elif not change.from_status:
            moved = f"made, {moved}"
        yield Line(
            at=change.at,
            what=f"{noun} {name or change.subject_id}: {moved}",
            actor_id=change.actor_id,
            why=spoken(change.reason),
            details=words.told(change.details, rows[change.subject_id]),
            link=(page, change.subject_id),
        )


def page_of(model: type[models.Model]) -> str:
    """The name of the page of a row."""
    return f"{model._meta.app_label}_{model._meta.model_name}_change"
