"""Codes for teams that a file knows by name alone."""

import csv
from itertools import islice

from pools.services.schedule.teams import NFL_NAMES, derived_codes, name_epl_teams, name_nfl_teams
from tests.support.shared_data import shared_data


def epl_names():
    with shared_data("epl/fixtures.csv").open(newline="") as file:
        return {row["home"] for row in csv.DictReader(file)}


def test_every_premier_league_team_has_its_usual_code():
    codes = {name: team.code for name, team in name_epl_teams(epl_names(), {}).items()}
    assert codes == {
        "Arsenal": "ARS", "Aston Villa": "AVL", "Bournemouth": "BOU", "Brentford": "BRE", "Brighton": "BHA",
        "Burnley": "BUR", "Chelsea": "CHE", "Crystal Palace": "CRY", "Everton": "EVE", "Fulham": "FUL",
        "Leeds": "LEE", "Leicester": "LEI", "Liverpool": "LIV", "Luton": "LUT", "Man City": "MCI", "Man Utd": "MUN",
        "Newcastle": "NEW", "Norwich": "NOR", "Nott'm Forest": "NFO", "Sheffield Utd": "SHU", "Southampton": "SOU",
        "Spurs": "TOT", "Watford": "WAT", "West Ham": "WHU", "Wolves": "WOL",
    }  # fmt: skip


def test_names_alike_get_different_codes_in_whatever_order_they_come():
    names = ["Real Madrid", "Real Mallorca", "Real Mallow"]
    codes = name_epl_teams(names, {})
    assert codes == name_epl_teams(names[::-1], {})
    assert [codes[name].code for name in names] == ["RMA", "RMAL", "RMALL"]


def test_a_team_keeps_the_code_it_has():
    found = name_epl_teams(["Leeds", "Leicester"], {"Leeds": "LDS", "Lee Town": "LEE"})
    assert {name: team.code for name, team in found.items()} == {"Leeds": "LDS", "Leicester": "LEI"}


def test_codes_do_not_run_out():
    assert list(islice(derived_codes("Ulm"), 4)) == ["ULM", "ULM2", "ULM3", "ULM4"]
    assert next(derived_codes("Ål")) == "AL"
    assert next(derived_codes("北京")) == "TEA"


def test_every_nfl_code_since_1999_has_a_name():
    with shared_data("nfl/games.csv").open(newline="") as file:
        codes = {row["home_team"] for row in csv.DictReader(file)}
    assert codes == set(NFL_NAMES)
    assert len(set(NFL_NAMES.values())) == len(NFL_NAMES)


def test_an_unknown_nfl_code_is_its_own_name():
    assert name_nfl_teams(["XXX"], {})["XXX"] == ("XXX", "XXX")
