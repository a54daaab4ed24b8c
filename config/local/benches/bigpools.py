"""Big pools, built in the database by sets, and so within seconds: a million entries that have just been played.

The league has 32 teams and 16 games a round; the home sides win. Favourites draw most picks, as they do: the most
picked winner has three in ten of the winners' picks. Of the entries that play a round, 39 in 100 fall, four in a
thousand of all because they missed it. Earlier rounds are settled, and then only survivors have picks.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction

from config.clock import database_now
from entries.queries.reveal import revealed_rounds
from entries.services.settlement import settle_competition
from entries.services.summaries import recount
from pools.models import Competition, Game, GameStatus, Pool, PoolStatus, Round, Rules, Team

GAMES = 16
ROUNDS = 12
FALL = 0.39
MISS = 0.004
# What falls in each earlier round of a season that is under way: enough stay for a big round.
FALL_EARLIER = 0.1
FEE_CENTS = 1000


@dataclass(frozen=True)
class Plan:
    """What to build. `earlier` rounds are settled; the round after them is played, and settled where `settled`."""

    name: str
    entries: int
    pools: int = 1
    earlier: int = 0
    settled: bool = False

    @property
    def round_number(self) -> int:
        """The round that waits for its settlement."""
        return self.earlier + 1

    @property
    def database(self) -> str:
        """What its database is called."""
        return f"{self.name}_settled" if self.settled else self.name


def competition_id() -> int:
    """The competition of the connected database."""
    return Competition.objects.values_list("pk", flat=True).get()


def build(plan: Plan) -> None:
    """Fill the connected, empty database, and leave it as vacuum would."""
    with transaction.atomic():
        competition = _league(plan, database_now())
    with connection.cursor() as cursor, transaction.atomic():
        # Who builds a million rows does not ask a million times whether the place is paid.
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("SET LOCAL synchronous_commit = off")
        for statement in (USERS, REQUESTS, ENTRIES, BIRTHS):
            cursor.execute(statement, {"entries": plan.entries, "fee": FEE_CENTS})
    recount()
    for number in range(1, plan.round_number):
        _play(competition, number, FALL_EARLIER)
        settle_competition(competition_id=competition.pk)
    _play(competition, plan.round_number, FALL)
    tidy()


def tidy() -> None:
    """Leave everything as vacuum does after a while."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (FREEZE, ANALYZE)")


def _play(competition: Competition, number: int, fall: float) -> None:
    """Whoever is still in picks, and the round's games end; nobody has settled it."""
    with connection.cursor() as cursor, transaction.atomic():
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(PICKS, {"number": number, "fall": fall, "miss": MISS})
    recount()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    Game.objects.filter(round__number=number).update(status=GameStatus.FINAL, home_score=24, away_score=17)
    revealed_rounds(competition.pk)


def _league(plan: Plan, now: datetime) -> Competition:
    """The competition with its teams, rounds, games and pools."""
    competition = Competition.objects.create(code="bench", name="Bench", season="1")
    teams = Team.objects.bulk_create(
        Team(competition=competition, code=f"{side}{n:02}", name=f"{side} {n}")
        for n in range(1, GAMES + 1)
        for side in ("HOM", "AWY")
    )
    rounds = Round.objects.bulk_create(
        Round(competition=competition, number=n, name=f"Round {n}") for n in range(1, ROUNDS + 1)
    )
    for round_ in rounds:
        # The round to settle was played yesterday, the others weeks before and after.
        kickoff_at = now + timedelta(days=7 * (round_.number - plan.round_number) - 1)
        Game.objects.bulk_create(
            Game(
                competition=competition, round=round_, external_id=f"{round_.number}-{n}", home=home, away=away,
                kickoff_at=kickoff_at + timedelta(minutes=n),
            )
            for n, (home, away) in enumerate(zip(teams[::2], teams[1::2], strict=True), start=1)
        )  # fmt: skip
    pools = Pool.objects.bulk_create(
        Pool(
            competition=competition, name=f"Bench {n}", status=PoolStatus.RUNNING, entry_fee_cents=FEE_CENTS,
            last_round_number=ROUNDS,
        )
        for n in range(plan.pools)
    )  # fmt: skip
    Rules.objects.bulk_create(Rules(pool=pool, effective_round_number=1) for pool in pools)
    return competition


USERS = """
    INSERT INTO accounts_user
        (email, display_name, password, country, region, role, token_version, is_active, is_superuser, is_staff)
    SELECT 'p' || n || '@bench.invalid', 'Player ' || n, '!', '', '', 'player', 1, true, false, false
    FROM generate_series(1, %(entries)s) n
"""

# Entry, request and user of one place share the number n; neighbours belong to one pool.
REQUESTS = """
    INSERT INTO entries_request (pool_id, user_id, number, status, payment_status, fee_cents, currency, reason,
                                 waiver_reason, decided_at)
    SELECT p.id, u.id, 1, 'approved', 'completed', %(fee)s, 'usd', '', '', now()
    FROM (SELECT id, row_number() OVER (ORDER BY id) - 1 AS n FROM accounts_user) u
    JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS n, count(*) OVER () AS pools FROM pools_pool) p
        ON p.n = u.n * p.pools / %(entries)s
    ORDER BY u.n
"""

ENTRIES = """
    INSERT INTO entries_entry
        (request_id, pool_id, user_id, number, reference, status, strikes, eliminated_code, first_round_number)
    SELECT id, pool_id, user_id, 1, '', 'active', 0, '', 1 FROM entries_request ORDER BY id
"""

BIRTHS = """
    INSERT INTO entries_entrychange (subject_id, from_status, to_status, details, reason)
    SELECT id, '', 'active', jsonb_build_object('strikes', 0, 'eliminated_round_number', NULL, 'eliminated_code', '',
           'rules_version', NULL, 'prize_cents', NULL), 'paid' FROM entries_entry ORDER BY id
"""

# Each entry draws two numbers from 0 to 1. By one, anew in each round, it loses below `fall`, and did not pick below
# `miss`. The other, for good, is its first game, of which the n-th has a share of 1/n; from round to round it moves on
# by one game, so that no entry uses a team twice.
PICKS = """
    INSERT INTO entries_pick (entry_id, round_id, slot, team_id, game_id, source, rules_version, nonce)
    WITH game AS (
        SELECT *, row_number() OVER (ORDER BY id) - 1 AS place, count(*) OVER () AS games FROM pools_game
        WHERE round_id = (SELECT id FROM pools_round WHERE number = %(number)s)
    ), share AS (
        SELECT place, sum(1.0 / (place + 1)) OVER (ORDER BY place) / sum(1.0 / (place + 1)) OVER () AS upper,
               (sum(1.0 / (place + 1)) OVER (ORDER BY place) - 1.0 / (place + 1)) / sum(1.0 / (place + 1)) OVER ()
                   AS lower
        FROM game
    ), drawn AS (
        SELECT id, md5(id || '-' || %(number)s) AS nonce,
               ('x' || substr(md5(id || '-' || %(number)s), 1, 7))::bit(28)::int / 268435456.0::float8 AS fate,
               ('x' || substr(md5(id::text), 1, 7))::bit(28)::int / 268435456.0::float8 AS first
        FROM entries_entry WHERE status = 'active'
    )
    SELECT d.id, g.round_id, 1, CASE WHEN d.fate < %(fall)s THEN g.away_id ELSE g.home_id END, g.id, 'player', 1,
           d.nonce
    FROM drawn d
    JOIN share s ON d.first >= s.lower AND d.first < s.upper
    JOIN game g ON g.place = (s.place + %(number)s) %% g.games
    WHERE d.fate >= %(miss)s ORDER BY d.id
"""
