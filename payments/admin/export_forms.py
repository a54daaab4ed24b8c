"""What is asked before a report is written: each report asks what it can be asked, and nothing else."""

from datetime import date
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from accounts.models import User
from config.clock import database_now, finance_date
from config.names import named, named_choices
from payments.admin.report_periods import Period, day_of, periods
from payments.exports.asking import request_export
from payments.exports.formats import formats_of
from payments.exports.rights import who_may_export
from payments.exports.schedules import Plan, create_schedule
from payments.exports.wishes import narrowing_of
from payments.models import Every, Export, ExportSchedule, FileFormat
from payments.reports import REPORTS, Narrowing, Report
from payments.reports.as_of import AsOf
from payments.reports.base import Days
from payments.reports.options import Asks, Option
from pools.models import Pool

OPTION = "option_"
# Of the days that are typed in: no period by name.
OWN_DAYS = ""
# The hidden field with the day on which a form was shown.
ASKED_ON = "asked_on"
INCLUDED = _("In the finance time zone; included.")


def day_field(label: Any, help_text: Any) -> forms.DateField:
    """A day, picked from a calendar."""
    return forms.DateField(
        label=label, required=False, widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}), help_text=help_text
    )


class PeriodSelect(UnfoldAdminSelectWidget):  # type: ignore[misc]  # unfold ships no types
    """A choice of periods, each with its days: a script fills in what was chosen, for the eye."""

    days: dict[str, Period]

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Django's, with the days of the period."""
        option: dict[str, Any] = super().create_option(name, value, *args, **kwargs)
        if period := self.days.get(str(value)):
            option["attrs"] |= {"data-first": period.first.isoformat(), "data-last": period.last.isoformat()}
        return option


def period_field(known: list[Period]) -> forms.ChoiceField:
    """One of the periods, or the days that are typed in."""
    widget = PeriodSelect(attrs={"data-periods": ""})
    widget.days = {period.name: period for period in known}
    choices = [
        (OWN_DAYS, gettext("The days below")),
        *((one.name, f"{one.label} ({one.first} – {one.last})") for one in known),
    ]
    return forms.ChoiceField(label=_("Period"), required=False, choices=choices, widget=widget)


def _option_field(option: Option) -> forms.Field:
    label, help_text = named(option.label), named(option.help)
    if option.asks is Asks.CHOICE:
        blank = [] if option.default is not None or option.is_required else [("", "–")]
        choices = [(value, named(words)) for value, words in option.choices.items()]
        return forms.ChoiceField(
            label=label, choices=[*blank, *choices], required=option.is_required,
            initial=option.default, help_text=help_text, widget=UnfoldAdminSelectWidget,
        )  # fmt: skip
    if option.asks is not Asks.NUMBER:
        label = gettext("%(name)s (its id)") % {"name": label}
    return forms.IntegerField(
        label=label, required=option.is_required, initial=option.default, min_value=option.least,
        max_value=option.most, help_text=help_text, widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "numeric"}),
    )  # fmt: skip


class _ReportForm(forms.Form):
    """The questions of one report; `options` are those of its own."""

    report: Report

    def __init__(self, *args: Any, report: Report, by: User, **given: Any) -> None:
        super().__init__(*args, **given)
        self.report = report
        self.by = by
        if report.has_pool:
            self.fields["pool"] = forms.ModelChoiceField(
                Pool.objects.order_by("-id"), label=_("Pool"), required=False, empty_label=_("All pools"),
                widget=UnfoldAdminSelectWidget,
            )  # fmt: skip
        for option in report.options:
            self.fields[OPTION + option.name] = _option_field(option)
        choices = [(str(each), named(each.label)) for each in formats_of(report)]
        self.fields["format"] = forms.ChoiceField(label=_("Format"), choices=choices, widget=UnfoldAdminSelectWidget)

    @property
    def options(self) -> dict[str, Any]:
        """What was given of the report's own questions."""
        given = {option.name: self.cleaned_data.get(OPTION + option.name) for option in self.report.options}
        return {name: value for name, value in given.items() if value not in (None, "")}

    @property
    def pool_id(self) -> int | None:
        """The pool, if one was chosen."""
        pool: Pool | None = self.cleaned_data.get("pool")
        return pool.pk if pool else None


class ExportForm(_ReportForm):
    """One export. `like` of the address is an export whose answers stand in the form to begin with."""

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        # Of the day on which the form was shown: after midnight “this month” may be another than the one that was read.
        self.asked_on = day_of(self.data.get(ASKED_ON, "")) or finance_date(database_now())
        self.periods = {one.name: one for one in periods(self.asked_on)}
        fields: dict[str, forms.Field] = {}
        if self.report.days is not Days.NONE:
            fields["period"] = period_field(list(self.periods.values()))
        if self.report.days is Days.BOTH:
            fields["first_day"] = day_field(_("From"), INCLUDED)
        if self.report.days is not Days.NONE:
            fields["last_day"] = day_field(_("To"), INCLUDED)
        if not self.report.is_live:
            self.fields["like"] = forms.IntegerField(
                label=_("As of the same instant as export"), required=False, min_value=1, max_value=2**63 - 1,
                widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "numeric"}),
                help_text=_("The number of an earlier export, to see what the books were then. Empty: as of now."),
            )  # fmt: skip
        self.fields = {**fields, **self.fields}

    def clean_like(self) -> Export | None:
        """The export of that number."""
        number = self.cleaned_data.get("like")
        found = Export.objects.filter(pk=number).first() if number else None
        if number and found is None:
            raise forms.ValidationError(gettext("There is no export %(number)s.") % {"number": number})
        return found

    def clean(self) -> dict[str, Any]:
        """The days of the period that was chosen. Refuses other days beside it: nobody knows which were meant."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        period = self.periods.get(given.get("period") or OWN_DAYS)
        if period is None:
            return given
        for name, day in (("first_day", period.first), ("last_day", period.last)):
            if name in self.fields and given.get(name) not in (None, day):
                self.add_error(name, gettext("Choose a period or give days, not both."))
            elif name in self.fields:
                given[name] = day
        return given

    @property
    def narrowing(self) -> Narrowing:
        """What is asked for, of a form without mistakes."""
        given = self.cleaned_data
        return Narrowing(self.pool_id, given.get("first_day"), given.get("last_day"), self.options)

    def ask(self, *, seen: AsOf | None = None) -> Export:
        """Hand it to the service; as of what was looked at, where it was."""
        given = self.cleaned_data
        return request_export(
            kind=self.report.kind, narrowing=self.narrowing, file_format=FileFormat(given["format"]), by=self.by,
            now=database_now(), like=given.get("like"), seen=seen,
        )  # fmt: skip


def answers_of(export: Export) -> dict[str, Any]:
    """What was answered when it was asked for, as a form begins with it."""
    asked = narrowing_of(export)
    options = {OPTION + name: value for name, value in asked.options.items()}
    days = {"period": OWN_DAYS, "first_day": asked.first_day, "last_day": asked.last_day}
    return {"pool": asked.pool_id, "format": export.format, **days, **options}


class ScheduleForm(_ReportForm):
    """A report that comes by itself."""

    name = forms.CharField(label=_("Name"), max_length=80, widget=UnfoldAdminTextInputWidget)
    every = forms.ChoiceField(label=_("Every"), choices=named_choices(Every.choices), widget=UnfoldAdminSelectWidget)
    hour = forms.IntegerField(
        label=_("Hour"), min_value=0, max_value=23, initial=6,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "numeric"}),
        help_text=_("From which hour on, of the day after the day, week or month."),
    )  # fmt: skip
    time_zone = forms.ChoiceField(
        label=_("Time zone"), required=False, widget=UnfoldAdminSelectWidget,
        help_text=_("Of that hour. Which days belong to a period, the finance zone says."),
    )  # fmt: skip
    first = day_field(
        _("Beginning with"), _("The day, or a day of the week or month, of the first report. Empty: today.")
    )

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        every: Any = self.fields["every"]
        every.choices = [(value, named(label)) for value, label in Every.choices]
        zone: Any = self.fields["time_zone"]
        house = gettext("Finance zone (%(zone)s)") % {"zone": settings.FINANCE_TIME_ZONE.key}
        zone.choices = [("", house), *((name, name) for name in sorted(available_timezones()))]
        people = who_may_export(kind=self.report.kind, is_personal=self.report.is_personal)
        self.fields["recipients"] = forms.MultipleChoiceField(
            label=_("Recipients"), required=False,
            choices=[
                (str(one.pk), f"{one.display_name} <{one.email}>")
                for one in people.filter(is_staff=True).order_by("display_name", "pk")
            ],
            widget=UnfoldAdminCheckboxSelectMultipleWidget,
            help_text=_("They are told by mail when it is ready, or does not come."),
        )  # fmt: skip

    def ask(self) -> ExportSchedule:
        """Hand it to the service."""
        given = self.cleaned_data
        first: date | None = given["first"]
        plan = Plan(
            name=given["name"], report=self.report.kind, file_format=FileFormat(given["format"]),
            every=Every(given["every"]), hour=given["hour"], time_zone=given["time_zone"], pool_id=self.pool_id,
            options=self.options, first=first,
        )  # fmt: skip
        people = User.objects.filter(pk__in=given["recipients"])
        return create_schedule(plan=plan, recipients=people, by=self.by, now=database_now())


def report_asked(kind: str | None) -> Report | None:
    """The report of a page's address; None where there is no such."""
    return REPORTS.get(kind or "")
