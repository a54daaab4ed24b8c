"""The chart of accounts as `docs/ledger.md` has it is the chart that there is."""

import re
from pathlib import Path

from payments.ledger.accounts import CHART, Side

PAGE = Path(__file__).parents[3] / "docs" / "ledger.md"
ROW = re.compile(r"^\| (`.+?`) \| (debits|credits) \| (.+?) \|", re.MULTILINE)
SIDES = {"debits": Side.DEBIT, "credits": Side.CREDIT}


def owner(meaning):
    named = {"pool": meaning.of_pool, "player": meaning.of_player, "provider": meaning.of_provider}
    return next((name for name, is_so in named.items() if is_so), "–")


def test_every_account_is_told_with_its_side_and_its_owner():
    told = {}
    for kinds, side, owners in ROW.findall(PAGE.read_text()):
        names, whose = re.findall(r"`(\w+)`", kinds), owners.split(", ")
        # One owner is that of all; else each account has its own.
        told |= {name: (SIDES[side], whose[number % len(whose)]) for number, name in enumerate(names)}
    assert told == {str(kind): (meaning.side, owner(meaning)) for kind, meaning in CHART.items()}
