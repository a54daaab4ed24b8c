"""Codes and names of teams, where a file gives only one of them."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping

from pools.services.schedule.fixtures import TeamName

# By nflverse's codes. Where a club changed its name but not its code, the part that stayed.
NFL_NAMES = {
    "ARI": "Arizona Cardinals", "ATL": "Atlanta Falcons", "BAL": "Baltimore Ravens", "BUF": "Buffalo Bills",
    "CAR": "Carolina Panthers", "CHI": "Chicago Bears", "CIN": "Cincinnati Bengals", "CLE": "Cleveland Browns",
    "DAL": "Dallas Cowboys", "DEN": "Denver Broncos", "DET": "Detroit Lions", "GB": "Green Bay Packers",
    "HOU": "Houston Texans", "IND": "Indianapolis Colts", "JAX": "Jacksonville Jaguars", "KC": "Kansas City Chiefs",
    "LA": "Los Angeles Rams", "LAC": "Los Angeles Chargers", "LV": "Las Vegas Raiders", "MIA": "Miami Dolphins",
    "MIN": "Minnesota Vikings", "NE": "New England Patriots", "NO": "New Orleans Saints", "NYG": "New York Giants",
    "NYJ": "New York Jets", "OAK": "Oakland Raiders", "PHI": "Philadelphia Eagles", "PIT": "Pittsburgh Steelers",
    "SD": "San Diego Chargers", "SEA": "Seattle Seahawks", "SF": "San Francisco 49ers", "STL": "St. Louis Rams",
    "TB": "Tampa Bay Buccaneers", "TEN": "Tennessee Titans", "WAS": "Washington",
}  # fmt: skip

# Where the league's usual code is not the one that `derived_codes` would give first.
EPL_CODES = {
    "Aston Villa": "AVL", "Brighton": "BHA", "Crystal Palace": "CRY", "Man City": "MCI", "Man Utd": "MUN",
    "Nott'm Forest": "NFO", "Sheffield Utd": "SHU", "Spurs": "TOT", "West Brom": "WBA", "West Ham": "WHU",
}  # fmt: skip


def name_nfl_teams(labels: Iterable[str], known: Mapping[str, str]) -> dict[str, TeamName]:
    """The file's labels are codes; one that we have no name for is its own name."""
    return {label: TeamName(label, NFL_NAMES.get(label, label)) for label in labels}


def name_epl_teams(labels: Iterable[str], known: Mapping[str, str]) -> dict[str, TeamName]:
    """The file's labels are names. A team keeps the code it has; a new one gets the usual code or a derived one.

    The same names give the same codes in whatever order they come.
    """
    found = {label: known[label] for label in labels if label in known}
    taken = set(known.values())
    for label in sorted(set(labels) - found.keys(), key=lambda label: (label not in EPL_CODES, label)):
        found[label] = next(code for code in _candidates(label) if code not in taken)
        taken.add(found[label])
    return {label: TeamName(code, label) for label, code in found.items()}


def _candidates(name: str) -> Iterator[str]:
    if name in EPL_CODES:
        yield EPL_CODES[name]
    yield from derived_codes(name)


def derived_codes(name: str) -> Iterator[str]:
    """Codes for a name, best first: `Leeds` LEE, LEED, LEEDS, LEE2 …; `Real Madrid` RMA, RMAD …"""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().upper()
    words = re.findall(r"[A-Z0-9]+", plain.replace("'", "")) or ["TEAM"]
    letters = words[0] if len(words) == 1 else words[0][0] + "".join(words[1:])
    letters = letters[:12]
    yield from (letters[:length] for length in range(min(3, len(letters)), len(letters) + 1))
    number = 2
    while True:
        yield f"{letters[:3]}{number}"
        number += 1
