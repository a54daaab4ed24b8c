"""Rulings in the back office: proposed on a form, looked at in full, confirmed by a second person."""

from entries.admin.rulings.pages import RulingAdmin

__all__ = ["RulingAdmin"]
