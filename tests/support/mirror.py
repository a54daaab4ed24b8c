"""The world of an oracle as rows: written with a few bulk statements, changed in step, read back for comparison.

Time passes by moving what is due from the future into the past, each instant once and in its order, so that what has
passed stays where it is; the guards rest meanwhile, because to them nothing happens. Everything else goes through the
guards. The caller opens the transaction and rolls it back.
"""

import secrets
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import connection

from config.clock import database_now
from config.states import CORRECTION_SETTING
from entries.models import Entry, Fallback, Pick, Reprieve, Request, Ruling
from pools.models import Competition, Game, Pool, Round, Rules, Team
from tests import oracle
from tests.factories.accounts import ModeratorFactory, UserFactory
from tests.oracle.worlds import TEAMS

SPAN = timedelta(days=60)
PAID = {"status": "approved", "payment_status": "completed", "currency": "usd"}


class Stage:
    """What all worlds share, made once: people, and a competition with teams and rounds that own no games yet."""

    def __init__(self, *, rounds: int = 6, players: int = 40) -> None:
        self.players = UserFactory.create_batch(players)
        self.staff = ModeratorFactory.create_batch(2)
        self.competition = Competition.objects.create(code="stage", name="Stage", season="2026")
        self.teams = {
            code: Team.objects.create(competition=self.competition, code=code, name=code.title()) for code in TEAMS
        }
        self.codes = {team.pk: code for code, team in self.teams.items()}
        self.rounds = {
            number: Round.objects.create(competition=self.competition, number=number, name=f"Round {number}")
            for number in range(1, rounds + 1)
        }


class Mirror:
    """One world's rows. `games`, `pools` and `entries` go from the oracle's ids (of a pool: its place) to ours."""

    def __init__(self, stage: Stage, league: oracle.League, pools: list[oracle.Pool], now: int) -> None:
        self.stage, self.league, self.pools, self.now = stage, league, pools, now
        self.began = database_now().replace(microsecond=0)
        self._write_games()
        self._write_pools()
        self.entries: dict[int, Entry] = {}
        self.add_entries([(index, entry) for index, pool in enumerate(pools) for entry in pool.entries])

    def at(self, instant: int) -> datetime:
        """When an instant is for the database: tomorrow and later until it passes, then long ago."""
        future = self.began + timedelta(days=1, minutes=instant)
        return future - SPAN if instant <= self.now else future

    # --- What is there from the beginning ---------------------------------------------------------------------------

    def _write_games(self) -> None:
        rounds, teams = self.stage.rounds, self.stage.teams
        games = Game.objects.bulk_create(
            Game(
                competition=self.stage.competition, round=rounds[game.round], external_id=f"game-{game.id}",
                home=teams[game.home], away=teams[game.away], kickoff_at=self.at(game.kickoff), home_spread=game.spread,
            )
            for game in self.league.games
        )  # fmt: skip
        self.games = {game.id: row for game, row in zip(self.league.games, games, strict=True)}
        self._date("pools_gamechange", "game_id", [row.pk for row in games])
        for number, instant in self.league.fixed_locks.items():
            Round.objects.filter(pk=rounds[number].pk).update(fixed_locks_at=self.at(instant))

    def _write_pools(self) -> None:
        self.pool_rows = Pool.objects.bulk_create(
            Pool(
                competition=self.stage.competition, name=f"Pool {index}", status="open", entry_fee_cents=1_001,
                first_round_number=pool.first_round, last_round_number=pool.last_round,
            )
            for index, pool in enumerate(self.pools)
        )  # fmt: skip
        Rules.objects.bulk_create(
            self._rules(index, book) for index, pool in enumerate(self.pools) for book in pool.books
        )

    def _rules(self, index: int, book: oracle.Book, **names) -> Rules:
        switches = {key: getattr(book, key) for key in Rules.KEYS}
        switches |= {"two_pick_rounds": list(book.two_pick_rounds), "payout_table": list(book.payout_table)}
        row = self.pool_rows[index]
        return Rules(pool=row, version=book.version, effective_round_number=book.effective, **switches, **names)

    def add_entries(self, entries: list[tuple[int, oracle.Entry]]) -> None:
        """Paid places with their picks and lists, at once."""
        free = iter(self.stage.players[len(self.entries) :])
        requests = Request.objects.bulk_create(
            Request(
                pool=self.pool_rows[index], user=next(free), number=1, decided_at=self.began,
                fee_cents=entry.fees[0].cents, **PAID,
            )
            for index, entry in entries
        )  # fmt: skip
        rows = Entry.objects.bulk_create(
            Entry(
                request=request, pool=request.pool, user=request.user, number=1, first_round_number=entry.first_round,
            )
            for request, (_, entry) in zip(requests, entries, strict=True)
        )  # fmt: skip
        self.entries |= {entry.id: row for (_, entry), row in zip(entries, rows, strict=True)}
        self.add_picks([(entry, pick) for _, entry in entries for pick in entry.picks])
        with_lists = [(self.entries[entry.id], entry.fallback) for _, entry in entries if entry.fallback]
        Fallback.objects.bulk_create(Fallback(entry=row, team_ids=self._teams(codes)) for row, codes in with_lists)
        self._date("entries_fallbackchange", "entry_id", [row.pk for row, _ in with_lists])

    def save_list(self, entry: oracle.Entry, teams: list[str]) -> None:
        row = self.entries[entry.id]
        Fallback.objects.update_or_create(entry=row, defaults={"team_ids": self._teams(teams)})
        self._date("entries_fallbackchange", "entry_id", [row.pk])

    def _teams(self, codes: list[str]) -> list[int]:
        return [self.stage.teams[code].pk for code in codes]

    def _date(self, table: str, column: str, ids: list[int]) -> None:
        """What was written down just now about these happened at this world's now."""
        change = f"UPDATE {table} SET at = %(now)s WHERE {column} = ANY(%(ids)s) AND at >= %(began)s"
        if ids:
            self._unguarded(change, {"now": self.at(self.now), "ids": ids, "began": self.began})

    def _unguarded(self, sql: str, values: dict) -> None:
        """While nobody looks."""
        asleep, awake = (f"SET LOCAL session_replication_role = {role}" for role in ("replica", "origin"))
        with connection.cursor() as cursor:
            cursor.execute(f"{asleep}; {sql}; {awake}", values)

    # --- What happens -----------------------------------------------------------------------------------------------

    def pass_time(self, now: int) -> None:
        """Every instant up to `now` passes."""
        due = self.began + timedelta(days=1, minutes=now)
        gone = "CASE WHEN {0} BETWEEN %(began)s AND %(due)s THEN {0} - %(span)s ELSE {0} END"
        values = {"began": self.began, "due": due, "span": SPAN, "this": self.stage.competition.pk}
        tables = {"pools_game": ("kickoff_at", "locks_at"), "pools_round": ("first_kickoff_at", "fixed_locks_at")}
        moves = []
        for table, columns in tables.items():
            changes = ", ".join(f"{column} = {gone.format(column)}" for column in columns)
            is_due = " OR ".join(f"{column} BETWEEN %(began)s AND %(due)s" for column in columns)
            moves.append(f"UPDATE {table} SET {changes} WHERE competition_id = %(this)s AND ({is_due})")
        self._unguarded("; ".join(moves), values)
        self.now = now

    def save_game(self, game: oracle.Game) -> None:
        """Status, scores, kickoff and round as the oracle has them now."""
        Game.objects.filter(pk=self.games[game.id].pk).update(
            status=game.status, home_score=game.home_score, away_score=game.away_score,
            round=self.stage.rounds[game.round], kickoff_at=self.at(game.kickoff),
        )  # fmt: skip
        self.date_game(game)

    def save_results(self, games: list[oracle.Game]) -> None:
        """Status and scores, of all at once."""
        rows = [self.games[game.id] for game in games]
        for row, game in zip(rows, games, strict=True):
            row.status, row.home_score, row.away_score = game.status, game.home_score, game.away_score
        Game.objects.bulk_update(rows, ["status", "home_score", "away_score"])

    def date_game(self, game: oracle.Game) -> None:
        """What others changed of it was changed at this world's now."""
        self._date("pools_gamechange", "game_id", [self.games[game.id].pk])

    def add_picks(self, picks: list[tuple[oracle.Entry, oracle.Pick]]) -> None:
        Pick.objects.bulk_create(self._pick(entry, pick) for entry, pick in picks)

    def drop_picks(self, picks: list[tuple[oracle.Entry, oracle.Pick]]) -> None:
        for entry, pick in picks:
            Pick.objects.filter(
                entry=self.entries[entry.id], round=self.stage.rounds[pick.round], slot=pick.slot
            ).delete()

    def _pick(self, entry: oracle.Entry, pick: oracle.Pick) -> Pick:
        return Pick(
            entry=self.entries[entry.id], round=self.stage.rounds[pick.round], slot=pick.slot, source=pick.source,
            team=self.stage.teams[pick.team], game=self.games[pick.game], nonce=secrets.token_hex(8),
        )  # fmt: skip

    def void(self, entry: oracle.Entry) -> None:
        with setting(CORRECTION_SETTING, "disqualified"):
            self._void(entry)

    def _void(self, entry: oracle.Entry) -> None:
        Entry.objects.filter(pk=self.entries[entry.id].pk).update(
            status="void", eliminated_round_number=None, eliminated_code="", rules_version=None, prize_cents=None
        )

    def refund(self, entry: oracle.Entry) -> None:
        """Of a void place."""
        Request.objects.filter(pk=self.entries[entry.id].request_id).update(payment_status="refunded")

    def buy_back(self, index: int, entry: oracle.Entry, reprieve: oracle.Reprieve, fee_cents: int) -> None:
        row = self.entries[entry.id]
        request = Request.objects.create(
            pool=self.pool_rows[index], user_id=row.user_id, number=1, kind="buy_back", bought_entry=row,
            round_number=reprieve.from_round, resumes_round_number=reprieve.before_round,
            fee_cents=fee_cents, decided_at=self.began, **PAID,
        )  # fmt: skip
        self._reprieve(row, reprieve, request=request)

    def reinstate(self, index: int, entry: oracle.Entry, reprieve: oracle.Reprieve) -> None:
        row = self.entries[entry.id]
        self._reprieve(row, reprieve, ruling=self._ruling("reinstate", index, row))

    def _reprieve(self, row: Entry, reprieve: oracle.Reprieve, **cause) -> None:
        Reprieve.objects.create(
            entry=row, from_round_number=reprieve.from_round, before_round_number=reprieve.before_round, **cause
        )

    def revoke(self, index: int, entry: oracle.Entry, reprieve: oracle.Reprieve) -> None:
        rows = Reprieve.objects.filter(entry=self.entries[entry.id], from_round_number=reprieve.from_round)
        made = rows.get(before_round_number=reprieve.before_round, revoked_at=None)
        made.revoked_by = self._ruling("reversal", index, made.entry, reverses=made.ruling)
        made.revoked_at = database_now()
        made.save(update_fields=["revoked_by", "revoked_at"])

    def _ruling(self, kind: str, index: int, row: Entry, **fields) -> Ruling:
        first, second = self.stage.staff
        return Ruling.objects.create(
            kind=kind, competition=self.stage.competition, pool=self.pool_rows[index], entry=row, reason="It rained",
            status="confirmed", proposed_by=first, decided_by=second, decided_at=self.began, **fields,
        )  # fmt: skip

    def amend(self, index: int, book: oracle.Book) -> None:
        first, second = self.stage.staff
        self._rules(index, book, created_by=first, confirmed_by=second).save(force_insert=True)

    # --- What came of it --------------------------------------------------------------------------------------------

    def verdicts(self) -> list[tuple[str, int | None]]:
        """Whether each pool is open (or running, which is the same here) or finished, and the round of its end."""
        rows = {row.pk: row for row in Pool.objects.filter(competition=self.stage.competition)}
        status = {"running": "open"}
        found = [rows[row.pk] for row in self.pool_rows]
        return [(status.get(row.status, row.status), row.ended_round_number) for row in found]

    def fates(self) -> dict[int, oracle.Fate]:
        """By the oracle's ids."""
        columns = (
            "pk", "status", "strikes", "eliminated_round_number", "eliminated_code", "rules_version", "prize_cents",
        )  # fmt: skip
        ids = {row.pk: id for id, row in self.entries.items()}
        rows = Entry.objects.filter(pk__in=ids).values_list(*columns)
        return {ids[pk]: oracle.Fate(*said) for pk, *said in rows}

    def picks_made(self) -> dict[int, list[oracle.Pick]]:
        """All picks of each entry, by the oracle's ids."""
        ids = {row.pk: id for id, row in self.entries.items()}
        games = {row.pk: id for id, row in self.games.items()}
        rows = Pick.objects.filter(entry__in=ids).order_by("round__number", "slot")
        found: dict[int, list[oracle.Pick]] = {id: [] for id in self.entries}
        for entry, number, team, game, slot, source in rows.values_list(
            "entry_id", "round__number", "team_id", "game_id", "slot", "source"
        ):
            found[ids[entry]].append(oracle.Pick(number, self.stage.codes[team], games[game], slot, source))
        return found


@contextmanager
def setting(name: str, value: str):
    """Say something to the guards for as long as this lasts."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [name, value])
        yield
        cursor.execute("SELECT set_config(%s, '', true)", [name])
