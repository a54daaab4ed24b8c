"""Where the sidebar leads to requests, entries and what is decided about them."""

from django.utils.translation import gettext_lazy as _

from config.menu import Group, Line, menu
from entries.admin.request_previews import DECIDES
from entries.admin.rooms.access import SEES

menu(
    Group.PLAY,
    Line("entries_request", _("Requests"), "person_add", 10),
    Line("", _("Requests workbench"), "checklist", 5, page="entries_request_workbench", permission=DECIDES),
    Line("", _("Round room"), "stadium", 7, page="entries_entry_rooms", permission=SEES),
    Line("entries_bulkdecision", _("Bulk decisions"), "done_all", 12),
    Line("entries_bulkitem", _("Results of bulk decisions"), "fact_check", 13),
    Line("entries_reasontemplate", _("Reason templates"), "format_quote", 14),
    Line("entries_entry", _("Entries"), "confirmation_number", 20),
    Line("entries_ruling", _("Rulings"), "gavel", 60),
    Line("entries_settlement", _("Settlements"), "task_alt", 70),
    Line("entries_rehearsal", _("Rehearsals"), "science", 35),
    Line("entries_announcement", _("Announcements"), "campaign", 80),
)
