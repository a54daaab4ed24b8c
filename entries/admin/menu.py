"""Where the sidebar leads to requests, entries and what is decided about them."""

from django.utils.translation import gettext_lazy as _

from config.menu import Group, Line, menu

menu(
    Group.PLAY,
    Line("entries_request", _("Requests"), "person_add", 10),
    Line("entries_entry", _("Entries"), "confirmation_number", 20),
    Line("entries_ruling", _("Rulings"), "gavel", 60),
    Line("entries_settlement", _("Settlements"), "task_alt", 70),
)
