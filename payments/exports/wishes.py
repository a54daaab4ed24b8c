"""What an export row says of what was asked for, as the engine takes it, and back."""

from datetime import date
from typing import Any

from payments.models import Export
from payments.reports import REPORTS, Narrowing, Report
from payments.reports.as_of import AsOf


def parameters_of(narrowing: Narrowing) -> dict[str, Any]:
    """As JSON; options that were not given are left out, so that their default can be seen to be one."""
    return {
        "pool": narrowing.pool_id,
        "first_day": narrowing.first_day.isoformat() if narrowing.first_day else None,
        "last_day": narrowing.last_day.isoformat() if narrowing.last_day else None,
        "options": {name: value for name, value in sorted(narrowing.options.items()) if value not in (None, "")},
    }


def narrowing_of(export: Export) -> Narrowing:
    """As it was asked for, as of what the row says."""
    given = export.parameters
    return Narrowing(
        pool_id=given.get("pool"),
        first_day=_day(given.get("first_day")),
        last_day=_day(given.get("last_day")),
        options=given.get("options", {}),
        as_of=AsOf(export.as_of, export.bounds) if export.as_of else None,
    )


def report_of(export: Export) -> Report | None:
    """None for one that this version of the code does not have any more."""
    return REPORTS.get(export.report)


def title_of(export: Export) -> str:
    """What people call it."""
    report = report_of(export)
    return report.title if report else export.report


def file_name_of(export: Export, ending: str) -> str:
    """`payments-pool-12-2026-09-01-2026-09-30-export-7.csv`: nothing of it was typed by anybody."""
    given = export.parameters
    parts = [
        export.report,
        f"pool-{given['pool']}" if given.get("pool") else "",
        given.get("first_day"),
        given.get("last_day"),
    ]
    return "-".join([*(part for part in parts if part), f"export-{export.pk}"]) + f".{ending}"


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
