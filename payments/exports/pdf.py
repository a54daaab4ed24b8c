"""Printed reports: the rows of a summary, set by a template of `templates/reports` into a PDF.

The data travels beside the template, as JSON, so that no name in it is ever read as markup. The same data make the same
bytes: the instant of the report is the only clock, and the fonts are those that the typesetter brings with it, never
those of the machine. They lack Chinese, Japanese and Korean signs: a box stands for each.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import typst
from django.conf import settings

from config.errors import invalid
from config.phrases import phrase

# A summary is read by people. The typesetter holds the whole document, at up to 0.3 MB for each of its lines.
MOST_ROWS = 1_000
TEMPLATES = settings.BASE_DIR / "templates" / "reports"


def render(template: str, data: Mapping[str, Any]) -> bytes:
    """The PDF of `templates/reports/<template>.typ`. The same data make the same bytes.

    `data` has `title`, `narrowing` (label and value of what was asked for), `as_of` (an instant in ISO 8601), `zone`,
    `watermark` (the line at the foot of every page), `columns` (with `name`), and `rows` of their cells, where an
    amount's exact minor units stand in the column `…_minor`. A template looks columns up by name.

    Refuses, naming the format, more than `MOST_ROWS` rows.
    """
    if len(data["rows"]) > MOST_ROWS:
        raise invalid(
            "format",
            phrase("A printed report has at most {most:,} rows. Narrow it, or take a spreadsheet.", most=MOST_ROWS),
        )
    printed: bytes = typst.compile(
        TEMPLATES / f"{template}.typ",
        root=TEMPLATES,
        format="pdf",
        ignore_system_fonts=True,
        timestamp=int(datetime.fromisoformat(data["as_of"]).timestamp()),
        sys_inputs={"data": json.dumps(data)},
    )
    return printed
