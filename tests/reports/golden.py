"""Files as they are to be, one for each report, beside this module in `golden/`.

After a change that is meant: `OUTLAST_GOLDEN=write pytest tests/reports/test_golden.py`, and read the difference.
"""

import os
from dataclasses import replace
from pathlib import Path

from payments.reports import Narrowing
from payments.reports.as_of import AsOf, take_as_of
from payments.services.exports import FileFormat, exported_file
from tests.reports.calendar import instant

FOLDER = Path(__file__).with_name("golden")
# When the reports of the story are of: all has been told.
EVENING = instant("2026-03-02 12:00")
# What a report cannot do without; `account` and the like come from the story itself.
OPTIONS = {}


def as_of_the_end() -> AsOf:
    """All that was told, looked at on the story's last evening."""
    return replace(take_as_of(), instant=EVENING)


def written(kind: str, file_format: FileFormat = FileFormat.CSV, **narrowing) -> bytes:
    """The file of a report, as of the end of the story unless said."""
    given = {"as_of": as_of_the_end()} | narrowing
    with exported_file(kind=kind, narrowing=Narrowing(**given), file_format=file_format) as file:
        return file.read()


def agrees(name: str, raw: bytes) -> bool:
    """Whether the file is as it is to be. Writes it down instead where that is asked for."""
    path = FOLDER / name
    if os.environ.get("OUTLAST_GOLDEN") == "write":
        FOLDER.mkdir(exist_ok=True)
        path.write_bytes(raw)
    return path.read_bytes() == raw
