"""Rehearsals in the back office: the form, the list, and the page of a result."""

from entries.admin.rehearsals.pages import RehearsalAdmin

__all__ = ["RehearsalAdmin"]
