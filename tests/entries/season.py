"""A random season as it happens: time passes, results come and are corrected, people and staff act, settlement runs.

The world is kept twice: as the oracle's plain objects and as rows. After each settlement both must tell the same of
every entry, every pick that was filled in and every pool; and settling again, afresh or after a crash changes nothing.
"""

from django.db import connection, transaction
from hypothesis import strategies as st

from entries.services.repicks import release_picks
from entries.services.settlement import settle_competition
from tests import oracle
from tests.oracle.worlds import TEAMS, amended, entries, picked
from tests.oracle.worth import View
from tests.support.mirror import Mirror, Stage

# The home side wins more often, and is picked more often: pools must live to see later rounds.
SCORES = ((3, 1), (3, 1), (9, 0), (2, 1), (1, 3), (0, 9), (7, 7), (0, 0))
# How settlement runs after something happened.
THEN = (*("wait",) * 12, *("settle",) * 3, "try", "twice", "afresh", "crash", "through")


class Killed(Exception):
    """The process died here."""


def agree(what: str, tables, the_oracle) -> None:
    """Say both when they differ."""
    if tables != the_oracle:
        raise AssertionError(f"{what}: the tables say {tables}, the oracle {the_oracle}")


class Season:
    """Runs inside a transaction that is never committed. Each event draws what it needs to know."""

    # What time brings, and what people and staff do then, each as often as it is named.
    TIMES = ("a_round_is_played", "a_round_is_played", "time_passes", "results_come", "nothing")
    EVENTS = (
        "nothing",
        *("a_result_is_corrected",) * 2,
        *("a_game_is_off", "a_kickoff_changes", "a_game_moves_to_another_round"),
        *(
            "a_player_picks_otherwise",
            "a_list_changes",
            "a_place_is_void",
            "somebody_comes_late",
            "somebody_comes_late",
        ),
        *("somebody_buys_back_in",) * 4,
        *("staff_reinstate", "staff_revoke", "staff_amend_the_rules"),
    )

    def __init__(self, stage: Stage, league: oracle.League, pools: list[oracle.Pool]) -> None:
        self.stage, self.league, self.pools = stage, league, pools
        self.now = 5
        self.reinstated: list[tuple[int, oracle.Entry, oracle.Reprieve]] = []
        self.said: dict[int, str] = {}
        self.looked_at = 1  # the last round that settlement has seen
        self.mirror = Mirror(stage, league, pools, self.now)

    # --- Time and games ---------------------------------------------------------------------------------------------

    def nothing(self, draw) -> None:
        pass

    def a_round_is_played(self, draw) -> None:
        self.pass_time(draw(st.sampled_from((60, 60, 0))))
        self.results_come(draw)

    def time_passes(self, draw) -> None:
        self.pass_time(draw(st.sampled_from((0, 20, 60, 260))))

    def pass_time(self, beyond: int) -> None:
        """Up to the next instant that matters, and so far beyond."""
        instants = {game.kickoff for game in self.league.games} | set(self.league.fixed_locks.values())
        coming = min((instant for instant in instants if instant > self.now), default=None)
        if coming is not None:
            self.now = coming + beyond + 5
            self.mirror.pass_time(self.now)

    def results_come(self, draw) -> None:
        waiting = [game for game in self.league.games if game.locks_at <= self.now and not game.has_outcome]
        scores = draw(st.lists(st.sampled_from(SCORES), min_size=1, max_size=4))
        ended = waiting[: draw(st.sampled_from((8, 8, 1, 2)))]
        for place, game in enumerate(ended):
            game.report("final", *scores[place % len(scores)])
        if ended:
            self.mirror.save_results(ended)

    def a_result_is_corrected(self, draw) -> None:
        known = [game for game in self.league.games if game.has_outcome and game.locks_at <= self.now]
        if known:
            game, score = draw(st.sampled_from(known)), draw(st.sampled_from((*SCORES, None)))
            game.report("final", *score) if score else game.report("in_progress")
            self.mirror.save_results([game])

    def a_game_is_off(self, draw) -> None:
        game = draw(st.sampled_from(self.league.games))
        if game.status != "final":
            game.report(draw(st.sampled_from(("cancelled", "postponed", "scheduled"))))
            self.mirror.save_results([game])
            self.release()

    def a_kickoff_changes(self, draw) -> None:
        game, by = draw(st.sampled_from(self.league.games)), draw(st.sampled_from((-20, 20, 40, 300)))
        if game.kickoff + by > self.now and not game.has_outcome:
            self.league.reschedule(game, game.kickoff + by, now=self.now)
            self.save(game)

    def a_game_moves_to_another_round(self, draw) -> None:
        game = draw(st.sampled_from(self.league.games))
        to = draw(st.integers(1, max(each.round for each in self.league.games)))
        if to == game.round or game.status == "final" or len(self.league.games_of(game.round)) == 1:
            return
        # What goes to a later weekend is played on it: else it would lock a round whose turn has not come.
        is_open = not self.league.has_locked(to, self.now)
        kickoff = max(other.kickoff for other in self.league.games_of(to)) if is_open else None
        self.league.move(game, to, now=self.now, kickoff=kickoff)
        self.save(game)

    def save(self, game: oracle.Game) -> None:
        """Its place and time; and whoever learns of it takes back picks that can be made anew."""
        self.mirror.save_game(game)
        self.release()

    def release(self) -> None:
        """`repick`, for those who were still in when settlement last ran."""
        release_picks(competition_id=self.stage.competition.pk)
        for pool in self.pools:
            for entry, pick in oracle.taken_back(pool, self.league, self.now):
                if not entry.is_void and self.said.get(entry.id, "active") == "active":
                    entry.picks.remove(pick)

    # --- People -----------------------------------------------------------------------------------------------------

    def verdict(self, pool: oracle.Pool) -> oracle.Verdict:
        return oracle.grade(pool, self.league, self.now)

    def open_rounds(self, pool: oracle.Pool) -> list[int]:
        """Rounds of the pool with a lock that has not passed."""
        known = [number for number in pool.rounds if self.league.lock_of(number) is not None]
        return [number for number in known if not self.league.has_locked(number, self.now)]

    def locked_rounds(self) -> list[int]:
        return [number for number in range(1, 7) if self.league.has_locked(number, self.now)]

    def some_entry(self, draw) -> tuple[int, oracle.Pool, oracle.Entry]:
        return draw(st.sampled_from([(i, pool, entry) for i, pool in enumerate(self.pools) for entry in pool.entries]))

    def some_pool(self, draw) -> tuple[int, oracle.Pool, list[int]]:
        index = draw(st.integers(0, len(self.pools) - 1))
        return index, self.pools[index], self.open_rounds(self.pools[index])

    def a_player_picks_otherwise(self, draw) -> None:
        _, pool, entry = self.some_entry(draw)
        rounds = [number for number in self.open_rounds(pool) if number >= entry.first_round]
        if not rounds or entry.is_void:
            return
        number = draw(st.sampled_from(rounds))
        self.mirror.drop_picks([(entry, pick) for pick in entry.picks_of(number)])
        entry.picks = [pick for pick in entry.picks if pick.round != number]
        for slot in range(1, pool.book_of(number).asks_for(number) + 1):
            draw(picked(self.league, pool, entry, number, slot, self.now))
        self.mirror.add_picks([(entry, pick) for pick in entry.picks_of(number)])

    def a_list_changes(self, draw) -> None:
        _, _, entry = self.some_entry(draw)
        teams = draw(st.lists(st.sampled_from(TEAMS), max_size=4, unique=True))
        entry.lists.append((self.now, teams))
        self.mirror.save_list(entry, teams)

    def somebody_comes_late(self, draw) -> None:
        index, pool, coming = self.some_pool(draw)
        until = pool.book_of(coming[0]).late_entry_until if coming else None
        if until is None or self.league.has_locked(until, self.now) or self.verdict(pool).is_finished:
            return
        entry = draw(entries(self.league, pool, coming[0], self.now))
        entry.id, entry.picks = 1 + max(self.mirror.entries), [pick for pick in entry.picks if pick.round in coming]
        pool.entries.append(entry)
        self.mirror.add_entries([(index, entry)])

    def a_place_is_void(self, draw) -> None:
        _, _, entry = self.some_entry(draw)
        if entry.is_void:
            return
        entry.is_void = True
        self.mirror.void(entry)
        if draw(st.booleans()):
            entry.fees[0].is_refunded = True
            self.mirror.refund(entry)

    def fallen(self) -> list[tuple[int, oracle.Pool, oracle.Entry, oracle.Reprieve]]:
        """Entries that are out after a complete round of a pool in play, and what would bring each back."""
        found = []
        for index, pool in enumerate(self.pools):
            verdict, view, coming = self.verdict(pool), View(pool, self.league, self.now), self.open_rounds(pool)
            for entry in pool.entries if coming and not verdict.is_finished else ():
                out = verdict.fates[entry.id].eliminated_round
                if out and out < coming[0] and view.is_complete(out):
                    found.append((index, pool, entry, oracle.Reprieve(out, coming[0])))
        return found

    def somebody_buys_back_in(self, draw) -> None:
        found = []
        for each in self.fallen():
            _, pool, entry, reprieve = each
            book = pool.book_of(reprieve.from_round)
            if reprieve.from_round <= (book.buy_back_until or 0) and len(entry.fees) <= book.buy_back_limit:
                found.append((*each, book.buy_back_fee_cents))
        if found:
            index, _, entry, reprieve, cents = draw(st.sampled_from(found))
            entry.fees.append(oracle.Fee(cents))
            entry.reprieves.append(reprieve)
            self.mirror.buy_back(index, entry, reprieve, cents)

    def staff_reinstate(self, draw) -> None:
        found = self.fallen()
        if found:
            index, _, entry, reprieve = draw(st.sampled_from(found))
            entry.reprieves.append(reprieve)
            self.reinstated.append((index, entry, reprieve))
            self.mirror.reinstate(index, entry, reprieve)

    def staff_revoke(self, draw) -> None:
        if self.reinstated:
            index, entry, reprieve = self.reinstated.pop()
            reprieve.is_revoked = True
            self.mirror.revoke(index, entry, reprieve)

    def staff_amend_the_rules(self, draw) -> None:
        index, pool, coming = self.some_pool(draw)
        locked = [number for number in pool.rounds if self.league.has_locked(number, self.now)]
        effective = max(locked, default=pool.first_round - 1) + 1
        if effective not in coming or effective < pool.books[-1].effective or self.verdict(pool).is_finished:
            return
        pool.books.append(draw(amended(pool.books[-1], pool.first_round, pool.last_round, effective)))
        self.mirror.amend(index, pool.books[-1])

    # --- Settlement -------------------------------------------------------------------------------------------------

    def settle(self, how: str, draw) -> None:
        """Run settlement in that way, and compare."""
        if how == "crash":
            self.crash(draw(st.integers(1, 60)))
        if how == "through":
            number = draw(st.integers(self.looked_at, 6))
            self.run(through=number)
            self.compare(through=number)
            self.looked_at = number
        promised = self.run(dry_run=True) if how == "try" else None
        difference = self.run()
        self.looked_at = max(self.locked_rounds(), default=1)
        if how == "try":
            agree("the dry run", difference, promised)
        self.compare()
        if how in ("twice", "afresh"):
            again = self.run(afresh=how == "afresh")
            assert again.is_nothing, f"settling {how} changed {again}"
            self.compare()

    def run(self, **options):
        return settle_competition(competition_id=self.stage.competition.pk, **options).difference

    def crash(self, statement: int) -> None:
        """Settlement dies at one of its statements, and the database forgets what it had done."""
        left = iter(range(statement))

        def die(execute, sql, params, many, context):
            if next(left, None) is None:
                raise Killed
            return execute(sql, params, many, context)

        try:
            with transaction.atomic():
                with connection.execute_wrapper(die):
                    self.run()
                raise Killed
        except Killed:
            pass

    def compare(self, through: int | None = None) -> None:
        """What the oracle says must be in the tables, for every pool."""
        fates, picks = self.mirror.fates(), self.mirror.picks_made()
        for index, (pool, said) in enumerate(zip(self.pools, self.mirror.verdicts(), strict=True)):
            oracle.fill_in_all(pool, self.league, self.now, through=through)
            verdict = oracle.grade(pool, self.league, self.now, through=through)
            for entry in pool.entries:
                ours = sorted(entry.picks, key=lambda pick: (pick.round, pick.slot))
                agree(f"picks of entry {entry.id}", picks[entry.id], ours)
                if entry.is_void:
                    agree(f"status of entry {entry.id}", fates[entry.id].status, "void")
                else:
                    agree(f"fate of entry {entry.id}", fates[entry.id], verdict.fates[entry.id])
                self.said[entry.id] = fates[entry.id].status
            agree(f"pool {index}", said, ("finished" if verdict.is_finished else "open", verdict.ended_round))
        self.release()
