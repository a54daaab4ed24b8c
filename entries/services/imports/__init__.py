"""Bringing a pool here in mid-season: its entries, their owners and the picks they made elsewhere.

`rows` reads the file, `judge` decides in SQL which of its lines can stand, `land` writes them, `run` is the whole.
A line that is refused has no effect at all; the rest still lands, and landing it again changes nothing.
"""

from entries.services.imports.rows import RowFile, UnreadableFile
from entries.services.imports.run import ImportResult, Refusal, import_entries

__all__ = ["ImportResult", "Refusal", "RowFile", "UnreadableFile", "import_entries"]
