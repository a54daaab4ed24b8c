"""The append-only changes of a row, as a table on its page.

Change tables have no foreign keys on purpose, so Django's inlines cannot show them; this field does.
"""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from accounts.models import User
from config import words
from config.audit import StatusChange
from config.words import spoken, within

SHOWN = 100


class WithHistory:
    """Adds the read-only field `history` to an admin page; `change_model` says where the changes are.

    A page whose changes are no `StatusChange`s overrides `changes_of` and `told`.
    """

    change_model: type[StatusChange]

    def changes_of(self, row: Any) -> QuerySet[Any]:
        """All changes of the row."""
        return self.change_model._default_manager.filter(subject_id=row.pk)

    def told(self, change: Any) -> dict[str, Any]:
        """From what to what, and what came with it."""
        return {
            "from": within(spoken(change.from_status)),
            "to": within(spoken(change.to_status)),
            "details": change.details,
        }

    @admin.display(description="Changes")
    def history(self, row: Any) -> SafeString:
        """The newest changes first: when, what, who, why."""
        changes = list(self.changes_of(row).order_by("-id")[: SHOWN + 1])
        names = _names(change.actor_id for change in changes)
        lines = []
        for change in changes[:SHOWN]:
            told = self.told(change)
            told["details"] = words.told(told["details"], getattr(row, "currency", ""))
            who = names.get(change.actor_id, gettext("the system"))
            lines.append({"at": change.at, "who": who, "why": words.reason(change.reason), **told})
        return render_to_string("admin/change_history.html", {"changes": lines, "has_more": len(changes) > SHOWN})


def _names(actor_ids: Iterable[int | None]) -> dict[int | None, str]:
    """Names of the people who acted, in one query."""
    wanted = {actor_id for actor_id in actor_ids if actor_id is not None}
    return {user.pk: str(user) for user in User.objects.filter(pk__in=wanted)}
