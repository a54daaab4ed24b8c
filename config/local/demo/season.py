"""A made-up league of 32 sides: strengths, fixtures, scores. The same seed draws the same season."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

SEED = 2026
ROUNDS = 18
PLAYED = 6
OPEN = PLAYED + 1
LOCKS_IN = timedelta(minutes=10)

TEAMS = {
    "ABR": "Amber Bay Rovers", "ASH": "Ashford Owls", "BAS": "Basalt City Miners", "BLU": "Bluewater Herons",
    "BRI": "Brightmoor Larks", "CED": "Cedar Falls Otters", "COP": "Copperfield Foxes", "CRO": "Crown Point Kings",
    "DUN": "Dunmore Stags", "EAS": "Eastgate Comets", "ELM": "Elmhurst Badgers", "FAI": "Fairhaven Gulls",
    "FER": "Fernwood Rangers", "GRA": "Granite Peak Rams", "GRE": "Greystone Wolves", "HAR": "Harbour Lights",
    "HIG": "Highland Falcons", "IRO": "Ironbridge Smiths", "JUN": "Juniper Hawks", "KES": "Kestrel Valley",
    "LAK": "Lakeshore Pikes", "LIN": "Linden Bees", "MAP": "Maplewood Moose", "MER": "Meridian Suns",
    "NOR": "Northwind Bears", "OAK": "Oakridge Boars", "PIN": "Pinecrest Lynx", "QUA": "Quarry Town Bulls",
    "RED": "Redcliff Ravens", "SIL": "Silverton Storks", "THO": "Thornbury Knights", "WES": "Westmarch Lions",
}  # fmt: skip


@dataclass(frozen=True)
class Fixture:
    """One game of the draw: round number, home and away code, kickoff, and how it ends once it has been played."""

    round_number: int
    home: str
    away: str
    kickoff_at: datetime
    home_score: int
    away_score: int
    home_spread: Decimal
    minutes: float

    @property
    def name(self) -> str:
        return f"demo_{self.round_number:02}_{self.away}_{self.home}"


def strengths() -> dict[str, float]:
    """How good each side is, from 0 to 1."""
    order = list(TEAMS)
    random.Random(SEED).shuffle(order)
    return {code: 1 - place / (len(order) - 1) for place, code in enumerate(order)}


def draw(now: datetime) -> list[Fixture]:
    """The whole season around `now`: rounds 1 to 6 in the past weeks, the seventh locking in ten minutes."""
    dice = random.Random(SEED)
    power = strengths()
    return [
        _fixture(dice, power, number, home, away, _kickoff(now, number, place))
        for number, pairs in enumerate(_pairings(list(TEAMS)), start=1)
        for place, (home, away) in enumerate(pairs)
    ]


def _pairings(codes: list[str]) -> list[list[tuple[str, str]]]:
    """The circle method: everybody meets somebody else in each of the first 18 rounds, home and away by turns."""
    random.Random(SEED + 1).shuffle(codes)
    fixed, ring = codes[0], codes[1:]
    rounds = []
    for number in range(ROUNDS):
        turned = ring[number:] + ring[:number]
        line = [fixed, *turned]
        pairs = [(line[i], line[-1 - i]) for i in range(len(line) // 2)]
        rounds.append([(b, a) if (number + i) % 2 else (a, b) for i, (a, b) in enumerate(pairs)])
    return rounds


def _kickoff(now: datetime, number: int, place: int) -> datetime:
    """The open round plays within minutes; the others spread over a Thursday, a Sunday and a Monday of their own."""
    if number == OPEN:
        return now + LOCKS_IN + timedelta(seconds=90 * (0 if place < 8 else 1 if place < 13 else 2))
    week = (now + timedelta(weeks=number - OPEN)).replace(minute=0, second=0, microsecond=0)
    late = timedelta(days=-3) if place == 0 else timedelta(days=1, hours=2) if place == 15 else timedelta(0)
    return week + late + timedelta(hours=3 * (place % 3))


def _fixture(
    dice: random.Random, power: dict[str, float], number: int, home: str, away: str, kickoff_at: datetime
) -> Fixture:
    edge = power[home] - power[away] + 0.08
    margin = round(dice.gauss(edge * 17, 9))
    base = dice.choice((10, 13, 14, 17, 20))
    return Fixture(
        round_number=number,
        home=home,
        away=away,
        kickoff_at=kickoff_at,
        home_score=base + max(margin, 0),
        away_score=base + max(-margin, 0),
        home_spread=Decimal(round(edge * 34)) / 2,
        minutes=dice.uniform(0.7, 2.5),
    )
