"""Reminding those without a pick, behind a page that says whom it reaches and whom not."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.admin.staff import staff
from config.admin import HouseAdmin
from config.errors import DomainError
from config.handbook import helped_by
from entries.admin.rooms.access import REMINDS, found_room, refuse_without, way_to_room
from entries.services.reminders_by_hand import ReminderReach, remind_now, reminder_reach


class WithReminders(HouseAdmin):
    """The page that asks before letters go out."""

    def get_urls(self) -> list[Any]:
        """Beside Django's."""
        view = self.admin_site.admin_view
        own = [path("rooms/<int:pk>/<int:number>/remind", view(self.remind), name="entries_room_remind")]
        return [*own, *super().get_urls()]

    @helped_by("staff/rounds#the-round-room")
    def remind(self, request: HttpRequest, pk: int, number: int) -> HttpResponse:
        """Say whom a reminder reaches; write it once that is confirmed as it still is."""
        refuse_without(request, REMINDS)
        room = found_room(pk, number)
        back = reverse("admin:entries_room", args=[pk, number])
        if not room.can_be_reminded_of:
            messages.error(request, _("No pick for this round can be made any more: there is nothing to remind of."))
            return HttpResponseRedirect(back)
        reach = reminder_reach(room)
        if request.method == "POST" and request.POST.get("confirmed") == str(reach.entries):
            try:
                count = remind_now(room=room, by=staff(request))
            except DomainError as refusal:
                messages.error(request, refusal.sentence)
            else:
                said = ngettext("{count} entry is reminded.", "{count} entries are reminded.", count)
                messages.success(request, said.format(count=count))
            return HttpResponseRedirect(back)
        context = {
            **self.admin_site.each_context(request),
            "title": f"{_('Remind those without a pick')}: {room.pool}, {room.round}",
            "crumbs": way_to_room(room, (_("Remind those without a pick"), "")),
            "room": room,
            "reach": reach,
            "sentences": in_words(reach),
            "has_changed": request.method == "POST",
            "back": back,
        }
        return TemplateResponse(request, "entries/room_remind.html", context)


def in_words(reach: ReminderReach) -> list[str]:
    """Who gets a letter, when, and why others do not."""
    entries = ngettext(
        "{count} entry without a pick is reminded.", "{count} entries without a pick are reminded.", reach.entries
    )
    letters = ngettext("That is {count} letter.", "That is {count} letters.", reach.players)
    said = [f"{entries.format(count=reach.entries)} {letters.format(count=reach.players)}"]
    if reach.later:
        said.append(_("{count} of the letters go out after their readers' quiet hours.").format(count=reach.later))
    reasons = {
        "asleep": _("{count} entries: their players' quiet hours last until it is too late."),
        "excluded": _("{count} entries: their players are excluded from play."),
        "off": _("{count} entries: their players turned reminders off."),
        "reminded": _("{count} entries were reminded already."),
        "unreachable": _("{count} entries: their players' address takes no mail."),
    }
    return said + [reasons[why].format(count=count) for why, count in reach.left_out.items()]
