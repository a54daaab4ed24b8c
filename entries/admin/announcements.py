"""Announcements: written on the add page, looked at as their readers will see them, sent behind a page of numbers."""

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from accounts.admin.staff import staff
from accounts.models import Letter, LetterStatus, User
from accounts.models.message_templates import BODY_LENGTH, SUBJECT_LENGTH
from config.admin import WithRowActions, labelled
from config.clock import database_now
from config.confirmations import confirmed
from config.names import named
from config.row_numbers import row_number
from entries.letters import announced
from entries.models import Announcement, AnnouncementStatus
from entries.services.announcements import (
    KIND,
    PLACEHOLDERS,
    Reach,
    announcement_faults,
    reach_of,
    send_announcement,
    stop_announcement,
    withdraw_announcement,
    write_announcement,
)
from pools.admin.made_by_service import MadeByService
from pools.models import Pool

MAY_SEND = "entries.send_announcement"
# A confirm page is read by a person: more than these are better sent one by one.
MOST_SHOWN = 3
LANGUAGES = [code for code, _label in settings.LANGUAGES]
COLOURS: dict[str, str] = {
    AnnouncementStatus.DRAFT: "info",
    AnnouncementStatus.SENT: "success",
    AnnouncementStatus.WITHDRAWN: "warning",
    AnnouncementStatus.STOPPED: "danger",
}
if TYPE_CHECKING:
    Base = forms.ModelForm[Announcement]
else:
    Base = forms.ModelForm


class AnnouncementForm(Base):
    """Whom, and what, in each of our languages; only English has to be there."""

    class Meta:
        model = Announcement
        fields = ("pool", "audience")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        pools: Any = self.fields["pool"]
        pools.queryset = Pool.objects.public()

    def texts(self) -> dict[str, dict[str, str]]:
        """By language, those in which anything was written."""
        given = {
            code: {field: self.cleaned_data.get(f"{field}_{code}", "").strip() for field in ("subject", "body")}
            for code in LANGUAGES
        }
        return {code: text for code, text in given.items() if any(text.values())}

    def clean(self) -> dict[str, Any]:
        """Ask the service's own checks."""
        values = super().clean() or self.cleaned_data
        for field, faults in announcement_faults(self.texts()).items():
            for fault in faults:
                self.add_error(field, fault)
        return values

    def _post_clean(self) -> None:
        """Not the model's: the service makes the row, and the database has the last word."""


for _code, _name in settings.LANGUAGES:
    for _field in (
        ("subject", forms.CharField(
            label=f"{_name}: subject", max_length=SUBJECT_LENGTH, required=False, widget=UnfoldAdminTextInputWidget()
        )),
        ("body", forms.CharField(
            label=f"{_name}: text", max_length=BODY_LENGTH, required=False,
            widget=UnfoldAdminTextareaWidget(attrs={"rows": 8}),
        )),
    ):  # fmt: skip
        _key = f"{_field[0]}_{_code}"
        AnnouncementForm.base_fields[_key] = AnnouncementForm.declared_fields[_key] = _field[1]


def what_sending_does(rows: QuerySet[Announcement]) -> list[str]:
    """The preview of `send`: how many letters, in which languages, and who gets none."""
    drafts = rows.filter(status=AnnouncementStatus.DRAFT).select_related("pool").order_by("pk")
    said = [
        _("{drafts} of {all} are drafts; the others are refused.").format(drafts=drafts.count(), all=rows.count()),
    ]
    for announcement in drafts[:MOST_SHOWN]:
        said += [f"{announcement.pool}: {announcement.subject}", *_in_words(reach_of(announcement))]
    return [*said, _("What is out cannot be called back; what still waits can be stopped.")]


def what_withdrawing_does(rows: QuerySet[Announcement]) -> list[str]:
    """The preview of `withdraw`."""
    drafts = rows.filter(status=AnnouncementStatus.DRAFT).count()
    return [
        _("{drafts} of {all} are drafts; the others are refused.").format(drafts=drafts, all=rows.count()),
        _("Nobody gets them."),
    ]


def what_stopping_does(rows: QuerySet[Announcement]) -> list[str]:
    """The preview of `stop`."""
    ids = list(rows.filter(status=AnnouncementStatus.SENT).values_list("pk", flat=True))
    waiting = Letter.objects.filter(kind=KIND, subject_id__in=ids, status=LetterStatus.QUEUED).count()
    return [
        ngettext("{count} letter that waits is left out.", "{count} letters that wait are left out.", waiting).format(
            count=waiting
        ),
        _("Whoever has got it keeps it."),
    ]


def _in_words(reach: Reach) -> list[str]:
    languages = ", ".join(
        f"{dict(settings.LANGUAGES)[code]} {count}" for code, count in sorted(reach.by_language.items())
    )
    said = [
        ngettext("{count} player gets it by e-mail.", "{count} players get it by e-mail.", reach.total).format(
            count=reach.total
        )
        + (f" {languages}." if languages else "")
    ]
    if reach.later:
        said.append(_("{count} of them after their quiet hours.").format(count=reach.later))
    reasons = {
        "off": _("{count} turned announcements off."),
        "excluded": _("{count} are excluded from play."),
        "unreachable": _("{count} have an address that came back."),
    }
    return said + [reasons[why].format(count=count) for why, count in sorted(reach.left_out.items())]


@admin.register(Announcement)
class AnnouncementAdmin(WithRowActions, MadeByService):
    """What players of a pool are told."""

    handbook = "staff/messages#announcements"
    add_form = AnnouncementForm
    list_display = ("id", "pool", "shown_subject", "shown_status", "recipients", "written_by", "sent_by", "sent_at")
    list_display_links = ("id", "shown_subject")
    list_select_related = ("pool", "written_by", "sent_by")
    list_filter: ClassVar = (("status", ChoicesDropdownFilter),)
    search_fields = ("pool__name",)
    ordering = ("-id",)
    fields = (
        "pool", "audience", "status", "as_read", "delivery", "recipients", "written_by", "written_at", "sent_by",
        "sent_at",
    )  # fmt: skip
    readonly_fields = ("as_read", "delivery")
    add_fieldsets: ClassVar = (
        (None, {"fields": ("pool", "audience")}),
        *(
            (
                name,
                {
                    "fields": (f"subject_{code}", f"body_{code}"),
                    "description": format_lazy(
                        "{} {}",
                        gettext_lazy(
                            "Plain text; an empty line begins a paragraph. The template has greeted already. Filled in:"
                        ),
                        ", ".join(f"{{{one}}}" for one in PLACEHOLDERS),
                    ),
                },
            )
            for code, name in settings.LANGUAGES
        ),
    )
    actions = ("send", "withdraw", "stop")

    def describe(self, row: Announcement) -> str:
        """Whose players, and what."""
        return f"{row.pool}: {row.subject} ({row.status})"

    def make(self, form: Any, by: User) -> Announcement:
        """A draft."""
        cleaned = form.cleaned_data
        return write_announcement(pool=cleaned["pool"], audience=cleaned["audience"], texts=form.texts(), by=by)

    def offers(self, request: HttpRequest, name: str, object_id: str) -> bool:
        """A draft can be sent and withdrawn, what was sent can be stopped."""
        found = Announcement.objects.filter(pk=row_number(object_id) or 0).first()
        wants = {"send": AnnouncementStatus.SENT, "withdraw": AnnouncementStatus.WITHDRAWN}
        return found is not None and found.can_move_to(wants.get(name, AnnouncementStatus.STOPPED))

    @admin.display(description=gettext_lazy("Subject"))
    def shown_subject(self, announcement: Announcement) -> str:
        """In English."""
        return announcement.subject

    @labelled("status", ordering="status", colours=COLOURS)
    def shown_status(self, announcement: Announcement) -> tuple[str, str]:
        """Its code, for the colour, and its name."""
        return announcement.status, named(AnnouncementStatus(announcement.status).label)

    @admin.display(description=gettext_lazy("As Ann reads it"))
    def as_read(self, announcement: Announcement) -> str:
        """In each language in which it was written, with the frame of the template in use."""
        said = {code: announced(announcement, code, name="Ann") for code in announcement.texts}
        return "\n\n".join(f"[{code}] {one.subject}\n\n{one.text}" for code, one in said.items())

    @admin.display(description=gettext_lazy("Delivery"))
    def delivery(self, announcement: Announcement) -> str:
        """How many letters are where."""
        found = Letter.objects.filter(kind=KIND, subject_id=announcement.pk).order_by().values_list("status")
        counts = dict(found.annotate(count=Count("pk")))
        return (
            ", ".join(f"{named(LetterStatus(code).label)} {counts[code]}" for code in LetterStatus if code in counts)
            or "–"
        )

    @confirmed("Send", permission=MAY_SEND, preview=what_sending_does, done="sent")
    def send(self, request: HttpRequest, row: Announcement, reason: str) -> None:
        """To everybody it reaches."""
        send_announcement(announcement=row, by=staff(request), now=database_now())

    @confirmed("Withdraw", permission=MAY_SEND, preview=what_withdrawing_does, done="withdrawn")
    def withdraw(self, request: HttpRequest, row: Announcement, reason: str) -> None:
        """Take a draft back."""
        withdraw_announcement(announcement=row, by=staff(request))

    @confirmed("Stop", permission=MAY_SEND, preview=what_stopping_does, done="stopped")
    def stop(self, request: HttpRequest, row: Announcement, reason: str) -> None:
        """Leave out whoever has not got it."""
        stop_announcement(announcement=row, by=staff(request))
