"""Telling people that their report is ready, or does not come: a link to its page, never the file. What may be seen is
asked there."""

from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_noop

from accounts.models import User
from accounts.queries import who_may
from accounts.services.letters.preferences import language_of
from config import mail, outbox
from config.names import named_lazily
from config.phrases import Name, phrase
from payments.exports.rights import may_export
from payments.exports.wishes import title_of
from payments.models import Export, ExportOrigin, ExportSchedule, ExportState, ScheduleState
from payments.reports import REPORTS

MANAGES = "payments.add_exportschedule"


@outbox.handler("mail.export_ready")
def send_export_ready(payload: dict[str, Any]) -> None:
    """To who asked for it, or to the recipients of its schedule; to nobody who may not fetch it any more."""
    _send(payload["export"], "export_ready", gettext_noop("{title}: the report is ready"), (ExportState.DONE,))


@outbox.handler("mail.export_failed")
def send_export_failed(payload: dict[str, Any]) -> None:
    """It will not come by itself."""
    _send(
        payload["export"],
        "export_failed",
        gettext_noop("{title}: the report could not be written"),
        (ExportState.FAILED,),
    )


@outbox.handler("mail.schedule_stopped")
def send_schedule_stopped(payload: dict[str, Any]) -> None:
    """To whom its reports would have come and to who made it; where nobody is left, to all who look after schedules."""
    schedule = ExportSchedule.objects.select_related("created_by").get(pk=payload["schedule"])
    if schedule.status != ScheduleState.STOPPED or not schedule.stopped_because:
        return
    known = REPORTS.get(schedule.report)
    is_personal = known is not None and known.is_personal
    people = {person.pk: person for person in (schedule.created_by, *schedule.recipients.order_by("pk"))}
    told = [one for one in people.values() if one.can_get_mail and one.has_perm(MANAGES)]
    still = [one for one in told if may_export(one, kind=schedule.report, is_personal=is_personal)]
    address = f"{settings.PUBLIC_URL}{reverse('admin:payments_exportschedule_change', args=[schedule.pk])}"
    for person in still or [one for one in who_may(MANAGES) if one.can_get_mail]:
        mail.send(
            to=person.email,
            subject=phrase("The schedule {schedule} has stopped", schedule=schedule.name),
            template="schedule_stopped",
            context={
                "person": person,
                "schedule": schedule,
                "title": named_lazily(known.title if known else schedule.report),
                "every": named_lazily(schedule.get_every_display()),
                "address": address,
            },
            language=language_of(person),
        )


def _people_of(export: Export) -> list[User]:
    if export.schedule is not None:
        people = [*export.schedule.recipients.order_by("pk")]
        # A report that does not come has to be missed by somebody.
        if export.status == ExportState.FAILED and export.schedule.created_by not in people:
            people.append(export.schedule.created_by)
    else:
        people = [export.requested_by] if export.requested_by is not None else []
    return [
        one
        for one in people
        if one.can_get_mail and may_export(one, kind=export.report, is_personal=export.is_personal)
    ]


def _send(export_id: int, template: str, subject: str, states: tuple[ExportState, ...]) -> None:
    export = Export.objects.select_related("schedule", "requested_by", "repeats").get(pk=export_id)
    if export.status not in states:
        return
    address = f"{settings.PUBLIC_URL}{reverse('admin:payments_export_change', args=[export.pk])}"
    for person in _people_of(export):
        mail.send(
            to=person.email,
            subject=phrase(subject, title=Name(title_of(export))),
            template=template,
            context={
                "person": person,
                "export": export,
                "title": named_lazily(title_of(export)),
                "format": export.get_format_display(),
                "address": address,
                "is_check": export.origin == ExportOrigin.CHECK,
                "period": " – ".join(
                    filter(None, (export.parameters.get("first_day"), export.parameters.get("last_day")))
                ),
            },
            language=language_of(person),
        )
