"""What is asked before a report is written: each report asks what it can be asked, and nothing else."""

from datetime import date
from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from accounts.models import User
from config.clock import database_now
from payments.exports.asking import request_export
from payments.exports.formats import formats_of
from payments.exports.rights import may_export
from payments.exports.schedules import Plan, create_schedule
from payments.models import Every, Export, ExportSchedule, FileFormat
from payments.reports import REPORTS, Narrowing, Report
from payments.reports.base import Days
from payments.reports.options import Asks, Option
from pools.models import Pool

OPTION = "option_"


def day_field(label: str, help_text: str = "In the finance time zone; included.") -> forms.DateField:
    """A day, picked from a calendar."""
    return forms.DateField(
        label=label, required=False, widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}), help_text=help_text
    )


def _option_field(option: Option) -> forms.Field:
    if option.asks is Asks.CHOICE:
        blank = [] if option.default is not None or option.is_required else [("", "–")]
        return forms.ChoiceField(
            label=option.label, choices=[*blank, *option.choices.items()], required=option.is_required,
            initial=option.default, help_text=option.help, widget=UnfoldAdminSelectWidget,
        )  # fmt: skip
    return forms.IntegerField(
        label=option.label if option.asks is Asks.NUMBER else f"{option.label} (its id)", required=option.is_required,
        initial=option.default, min_value=option.least, max_value=option.most, help_text=option.help,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "numeric"}),
    )  # fmt: skip


class _ReportForm(forms.Form):
    """The questions of one report; `options` are those of its own."""

    report: Report

    def __init__(self, *args: Any, report: Report, by: User, **named: Any) -> None:
        super().__init__(*args, **named)
        self.report = report
        self.by = by
        if report.has_pool:
            self.fields["pool"] = forms.ModelChoiceField(
                Pool.objects.order_by("-id"), required=False, empty_label="All pools", widget=UnfoldAdminSelectWidget
            )
        for option in report.options:
            self.fields[OPTION + option.name] = _option_field(option)
        choices = [(str(each), str(each.label)) for each in formats_of(report)]
        self.fields["format"] = forms.ChoiceField(choices=choices, widget=UnfoldAdminSelectWidget)

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
    """One export."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        fields: dict[str, forms.Field] = {}
        if self.report.days is Days.BOTH:
            fields["first_day"] = day_field("From")
        if self.report.days is not Days.NONE:
            fields["last_day"] = day_field("To")
        if not self.report.is_live:
            self.fields["like"] = forms.IntegerField(
                label="As of the same instant as export", required=False, min_value=1, max_value=2**63 - 1,
                widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "numeric"}),
                help_text="The number of an earlier export, to see what the books were then. Empty: as of now.",
            )  # fmt: skip
        self.fields = {**fields, **self.fields}

    def clean_like(self) -> Export | None:
        """The export of that number."""
        number = self.cleaned_data.get("like")
        found = Export.objects.filter(pk=number).first() if number else None
        if number and found is None:
            raise forms.ValidationError(f"There is no export {number}.")
        return found

    def ask(self) -> Export:
        """Hand it to the service."""
        given = self.cleaned_data
        narrowing = Narrowing(self.pool_id, given.get("first_day"), given.get("last_day"), self.options)
        return request_export(
            kind=self.report.kind, narrowing=narrowing, file_format=FileFormat(given["format"]), by=self.by,
            now=database_now(), like=given.get("like"),
        )  # fmt: skip


class ScheduleForm(_ReportForm):
    """A report that comes by itself."""

    name = forms.CharField(max_length=80, widget=UnfoldAdminTextInputWidget)
    every = forms.ChoiceField(choices=Every.choices, widget=UnfoldAdminSelectWidget)
    hour = forms.IntegerField(
        min_value=0, max_value=23, initial=6, widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "numeric"}),
        help_text="From which hour of the day after on, in the finance time zone.",
    )  # fmt: skip
    first = day_field("Beginning with", "The day, or a day of the month, of the first report. Empty: today.")

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        people = [
            person
            for person in User.objects.filter(is_staff=True, is_active=True).order_by("display_name", "pk")
            if may_export(person, kind=self.report.kind, is_personal=self.report.is_personal)
        ]
        self.fields["recipients"] = forms.MultipleChoiceField(
            required=False, choices=[(str(one.pk), f"{one.display_name} <{one.email}>") for one in people],
            widget=UnfoldAdminCheckboxSelectMultipleWidget, help_text="They are told by mail when it is ready.",
        )  # fmt: skip

    def ask(self) -> ExportSchedule:
        """Hand it to the service."""
        given = self.cleaned_data
        first: date | None = given["first"]
        plan = Plan(
            name=given["name"], report=self.report.kind, file_format=FileFormat(given["format"]),
            every=Every(given["every"]), hour=given["hour"], pool_id=self.pool_id, options=self.options, first=first,
        )  # fmt: skip
        people = User.objects.filter(pk__in=given["recipients"])
        return create_schedule(plan=plan, recipients=people, by=self.by, now=database_now())


def report_asked(kind: str | None) -> Report | None:
    """The report of a page's address; None where there is no such."""
    return REPORTS.get(kind or "")
