"""Files as they are to be, one for each report, beside this module in `golden/`.

After a change that is meant: `OUTLAST_GOLDEN=write pytest tests/reports/test_golden.py`, and read the difference.
"""

import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

from payments.models import Account, FileFormat
from payments.reports import REPORTS
from payments.reports.as_of import AsOf, take_as_of
from tests.reports.calendar import instant
from tests.support.reports import exported, from_csv

# All but the audit, whose hashes are of the moment: `test_audit.py` recomputes them instead.
AGREED = [kind for kind in REPORTS if kind != "audit"]
FOLDER = Path(__file__).with_name("golden")
# When the reports of the story are of: all has been told.
EVENING = instant("2026-03-02 12:00")


def options_of(kind: str) -> dict[str, int]:
    """What a report cannot do without."""
    if kind == "account_statement":
        account = Account.objects.filter(kind="clearing", provider="stripe", currency="usd").first()
        return {} if account is None else {"account": account.pk}
    return {"year": 2026} if kind == "tax_year" else {}


def as_of_the_end() -> AsOf:
    """All that was told, looked at on the story's last evening."""
    return replace(take_as_of(), instant=EVENING)


def written(kind: str, file_format: FileFormat = FileFormat.CSV, **narrowing) -> bytes:
    """The file of a report, as of the end of the story unless said."""
    return exported(kind, file_format, **({"as_of": as_of_the_end()} | narrowing))


def rows(kind: str, **narrowing) -> list[dict[str, str]]:
    """The rows of its file, every cell a text."""
    return from_csv(written(kind, **narrowing))


def sums(rows, column: str, currency: str = "currency") -> dict[str, int]:
    """What a column of amounts comes to in each currency, in minor units; nothing is left out."""
    found: Counter[str] = Counter()
    for row in rows:
        if row[f"{column}_minor"]:
            found[row[currency]] += int(row[f"{column}_minor"])
    return {code: minor for code, minor in sorted(found.items()) if minor}


def agrees(name: str, raw: bytes) -> bool:
    """Whether the file is as it is to be. Writes it down instead where that is asked for."""
    path = FOLDER / name
    if os.environ.get("OUTLAST_GOLDEN") == "write":
        FOLDER.mkdir(exist_ok=True)
        path.write_bytes(raw)
    return path.read_bytes() == raw
