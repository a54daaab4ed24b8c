"""Entries as finance sees them: each with the money that it came from."""

from typing import ClassVar

from entries.models import Entry


class EntryMoney(Entry):
    """A view of `Entry` with a right of its own: who sees money need not be who runs the contest."""

    class Meta:
        proxy = True
        verbose_name = "entry and its money"
        verbose_name_plural = "entries and their money"
        default_permissions: ClassVar = ("view",)
