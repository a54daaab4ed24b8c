"""ISO 3166-1: which two letters name a country.

The table comes with the time zone data that is installed anyway, so nobody here keeps a list of countries by hand.
"""

from functools import cache
from importlib.resources import files


@cache
def countries() -> dict[str, str]:
    """Code → usual English name."""
    table = (files("tzdata.zoneinfo") / "iso3166.tab").read_text(encoding="utf-8")
    rows = (line.partition("\t") for line in table.splitlines() if line and not line.startswith("#"))
    return {code: name for code, _, name in rows}
