"""What a report can be asked over HTTP: as the schema tells it for each report, and in the types that JSON has."""

from collections.abc import Iterable
from typing import Any

from rest_framework import serializers

from config.api.components import Schema, among
from config.phrases import tell
from payments.api.serializers import LARGEST_ID
from payments.exports.formats import formats_of
from payments.models import FileFormat
from payments.reports import REPORTS, Report
from payments.reports.base import Days
from payments.reports.options import Asks, Option

NOT_TAKEN: Schema = {"not": {}}


class ReportBody(serializers.Serializer[Any]):
    """Which report, written as what, of which pool, with which of its options."""

    report = serializers.CharField(max_length=40)
    format = serializers.ChoiceField(FileFormat.choices, required=False, default=FileFormat.CSV)
    pool = serializers.IntegerField(min_value=1, max_value=LARGEST_ID, required=False)
    options = serializers.DictField(
        child=serializers.JSONField(), required=False, default=dict, help_text="Of the report: name and value."
    )

    values = {"report": {"enum": sorted(REPORTS)}}
    examples = {"report": "trial_balance"}

    def validate_report(self, kind: str) -> str:
        """One that there is."""
        if kind not in REPORTS:
            raise serializers.ValidationError(
                tell("There is no report {kind!r}; there are {choices}.", kind=kind, choices=", ".join(REPORTS))
            )
        return kind

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        """Numbers are numbers; what is not answered is left out. The rest is refused by the report itself."""
        faults = {}
        for option in REPORTS[given["report"]].options:
            value = given["options"].get(option.name)
            if value == "" or (option.asks is not Asks.CHOICE and isinstance(value, str)):
                faults[f"options.{option.name}"] = [f"{option.label} is {_said(option)}."]
            elif isinstance(value, float) and value.is_integer():
                # JSON knows one kind of numbers.
                given["options"][option.name] = int(value)
        if faults:
            raise serializers.ValidationError(faults)
        return given


def shape_of(reports: Iterable[Report], *, has_days: bool) -> Schema:
    """For the schema: what may stand beside the name of each of these reports."""
    return {"oneOf": [_of(report, has_days=has_days) for report in reports]}


def _of(report: Report, *, has_days: bool) -> Schema:
    needed = [option.name for option in report.options if option.is_required]
    options: Schema = {
        "properties": {option.name: _of_option(option) for option in report.options},
        "additionalProperties": False,
    }
    properties: Schema = {
        "report": {"const": report.kind},
        "format": among(formats_of(report)),
        "options": options | ({"required": needed} if needed else {}),
    }
    if not report.has_pool:
        properties["pool"] = NOT_TAKEN
    if has_days and report.days is not Days.BOTH:
        properties["first_day"] = NOT_TAKEN
    if has_days and report.days is Days.NONE:
        properties["last_day"] = NOT_TAKEN
    return {"title": report.title, "properties": properties} | ({"required": ["options"]} if needed else {})


def _of_option(option: Option) -> Schema:
    if option.asks is Asks.CHOICE:
        return among(option.choices)
    return {"type": "integer", "minimum": option.least, "maximum": option.most}


def _said(option: Option) -> str:
    return f"one of {', '.join(option.choices)}" if option.asks is Asks.CHOICE else "a number"
