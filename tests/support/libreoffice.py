"""Files as LibreOffice opens them: each cell's type, its value, and whether it has become a formula."""

import os
import shutil
import subprocess
import warnings
from dataclasses import dataclass
from pathlib import Path

import pytest
from lxml import etree

TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
MISSING = "LibreOffice is not here: apt-get install --no-install-recommends libreoffice-calc-nogui"
# Separator, quote, UTF-8, first line, no column formats, language, quoted cells are not texts, numbers are found, …,
# and formulas are run, which is what careless people have switched on.
CSV_OPTIONS = "{separator},34,76,1,,0,false,true,true,false,false,0,true"


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell as the program has understood it."""

    kind: str
    value: float | str
    formula: str = ""


def needs_libreoffice() -> None:
    """Skip, and say so where everybody sees it; with `CI` set, fail."""
    if shutil.which("soffice") is None:
        if os.environ.get("CI"):
            pytest.fail(MISSING)
        warnings.warn(MISSING, stacklevel=2)
        pytest.skip(MISSING)


def opened(folder: Path, *files: Path, separator: str = "") -> dict[str, list[list[Cell]]]:
    """The rows of each file, by its name without the ending, all sheets one after another.

    With a separator they are read as CSV by somebody whose spreadsheet separates by it.
    """
    how = [f"--infilter=CSV:{CSV_OPTIONS.format(separator=ord(separator))}"] if separator else []
    out = folder / f"opened{ord(separator) if separator else ''}"
    subprocess.run(
        [
            "soffice", f"-env:UserInstallation=file://{folder}/profile", "--headless", "--convert-to", "fods", *how,
            "--outdir", str(out), *map(str, files),
        ],
        check=True, capture_output=True, timeout=240,
    )  # fmt: skip
    return {path.stem: _rows(path) for path in out.iterdir()}


def _rows(path: Path) -> list[list[Cell]]:
    rows = []
    for row in etree.parse(path, etree.XMLParser(huge_tree=True)).iter(f"{TABLE}table-row"):
        cells: list[Cell] = []
        for cell in row.iter(f"{TABLE}table-cell", f"{TABLE}covered-table-cell"):
            times = int(cell.get(f"{TABLE}number-columns-repeated", "1"))
            # What is behind the last column is one cell, repeated to the end of the sheet.
            cells += [_cell(cell)] * min(times, 100)
        if any(cell.kind for cell in cells):
            rows.append(cells)
    return rows


def _cell(cell) -> Cell:
    kind = cell.get(f"{OFFICE}value-type", "")
    formula = cell.get(f"{TABLE}formula", "")
    if kind == "float":
        return Cell(kind, float(cell.get(f"{OFFICE}value")), formula)
    lines = ("".join(line.itertext()) for line in cell.iter(f"{TEXT}p"))
    return Cell(kind, "\n".join(lines), formula)
