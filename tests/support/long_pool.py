"""A big pool that two settlements bring to its end, built in the database by sets.

All entries have picked for both rounds, but for a few who missed one. The first round is final, the second has locked.
Whoever loses twice is out; who missed the first round is, too, since nobody is favoured there; who missed the second
gets a favourite. What is left after the second goes by margin, and the pot by rank: all that a settlement does.
"""

from datetime import timedelta

from django.db import connection, transaction

from config.clock import database_now
from config.local.benches.bigpools import BIRTHS, ENTRIES, FALL, FEE_CENTS, GAMES, MISS, PICKS, REQUESTS, USERS
from entries.queries.reveal import revealed_rounds
from entries.services.settlement import Difference, settle_competition
from pools.models import Competition, Game, Pool, Round, Rules, Team

CODE = "long"
FAVOURED = {1: None, 2: 3}
RULES = {
    "strikes": 1,
    "missed_pick": "favourite",
    "last_round": "tiebreak",
    "payout": "table",
    "payout_table": [5_000, 3_000, 2_000],
}

# A round's results: the home sides win, each by another margin.
RESULTS = """
    UPDATE pools_game g SET status = 'final', home_score = 9 + n.place, away_score = 7
    FROM (SELECT id, row_number() OVER (ORDER BY kickoff_at) AS place FROM pools_game
          WHERE round_id = (SELECT id FROM pools_round WHERE number = {number})) n
    WHERE n.id = g.id
"""


def build(entries: int) -> None:
    """Fill the connected, empty database, and leave it as vacuum would."""
    with transaction.atomic():
        competition = _league()
    with connection.cursor() as cursor, transaction.atomic():
        cursor.execute("SET LOCAL session_replication_role = replica")
        for statement in (USERS, REQUESTS, ENTRIES, BIRTHS):
            cursor.execute(statement, {"entries": entries, "fee": FEE_CENTS})
        for number in (1, 2):
            cursor.execute(PICKS, {"number": number, "fall": FALL, "miss": MISS})
        cursor.execute(RESULTS.format(number=1))
    revealed_rounds(competition.pk)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (FREEZE, ANALYZE)")


def settle_in_full() -> Difference:
    """Every fate derived from the first round on."""
    return settle_competition(competition_id=Competition.objects.get().pk, afresh=True).difference


def _league() -> Competition:
    competition = Competition.objects.create(code=CODE, name="Long", season="1")
    teams = Team.objects.bulk_create(
        Team(competition=competition, code=f"{side}{n:02}", name=f"{side} {n}")
        for n in range(1, GAMES + 1)
        for side in ("HOM", "AWY")
    )
    for number, days_ago in ((1, 9), (2, 2)):
        round_ = Round.objects.create(competition=competition, number=number, name=f"Round {number}")
        Game.objects.bulk_create(
            Game(
                competition=competition, round=round_, external_id=f"{number}-{n}", home=home, away=away,
                kickoff_at=database_now() - timedelta(days=days_ago, minutes=-n), home_spread=FAVOURED[number],
            )
            for n, (home, away) in enumerate(zip(teams[::2], teams[1::2], strict=True))
        )  # fmt: skip
    pool = Pool.objects.create(
        competition=competition, name="Long", status="running", entry_fee_cents=FEE_CENTS, last_round_number=2
    )
    Rules.objects.create(pool=pool, effective_round_number=1, **RULES)
    return competition
