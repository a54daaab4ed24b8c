"""A random season as it happens: time passes, results come and are corrected, people and staff act, settlement runs.

The world is kept twice: as the oracle's plain objects and as rows. After each settlement both must tell the same of
every entry, every pick that was filled in and every pool; and settling again, afresh or after a crash changes nothing.
"""

from django.db import connection, transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from entries.services.settlement import settle_competition
from tests import oracle
from tests.oracle.worlds import amended, entries, picked, worlds
from tests.oracle.worth import View
from tests.support.mirror import Mirror, Stage

SCORES = ((3, 1), (1, 3), (0, 9), (7, 7), (0, 0))
some = st.integers(0, 1_000)


# When settlement runs after something happened: later, now, tried before, twice, from the beginning, after a crash.
THEN = ("wait", "settle", "settle", "settle", "try", "twice", "afresh", "crash")


class Killed(Exception):
    """The process died here."""


def agree(what: str, tables, the_oracle) -> None:
    """Say both when they differ."""
    if tables != the_oracle:
        raise AssertionError(f"{what}: the tables say {tables}, the oracle {the_oracle}")


def happening(**drawn):
    """A rule of the machine: something happens, and then settlement runs or waits."""

    def decorate(action):
        def act(self, then, statement, **values) -> None:
            action(self, **values)
            self.settle(then, statement)

        act.__name__ = action.__name__
        return rule(then=st.sampled_from(THEN), statement=st.integers(1, 40), **drawn)(act)

    return decorate


class Season(RuleBasedStateMachine):
    stage: Stage

    def __init__(self) -> None:
        super().__init__()
        self.transaction = transaction.atomic()
        self.transaction.__enter__()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.transaction.__exit__(None, None, None)

    @initialize(world=worlds())
    def begin(self, world) -> None:
        self.league, self.pools = world
        self.now = 5
        self.mirror = Mirror(self.stage, self.league, self.pools, self.now)

    # --- Time and games ---------------------------------------------------------------------------------------------

    @happening(far=st.sampled_from(("next", "round", "round", "two rounds")))
    def time_passes(self, far) -> None:
        instants = {game.kickoff for game in self.league.games} | set(self.league.fixed_locks.values())
        coming = sorted(instant for instant in instants if instant > self.now)
        if not coming:
            return
        if far == "next":
            until = coming[0]
        else:
            until = coming[0] + (60 if far == "round" else 260)
        self.now = until + 5
        self.mirror.pass_time(self.now)

    @happening(scores=st.lists(st.sampled_from(SCORES), min_size=1, max_size=8), how_many=st.integers(1, 8))
    def results_come(self, scores, how_many) -> None:
        waiting = [game for game in self.league.games if game.locks_at <= self.now and not game.has_outcome]
        for place, game in enumerate(waiting[:how_many]):
            self._report(game, "final", *scores[place % len(scores)])

    @happening(which=some, score=st.sampled_from(SCORES), back=st.booleans())
    def a_result_is_corrected(self, which, score, back) -> None:
        known = [game for game in self.league.games if game.has_outcome and game.locks_at <= self.now]
        if known:
            game = known[which % len(known)]
            self._report(game, "in_progress") if back else self._report(game, "final", *score)

    @happening(which=some, trouble=st.sampled_from(("cancelled", "postponed", "scheduled")))
    def a_game_is_off(self, which, trouble) -> None:
        game = self._game(which)
        if game.status != "final":
            self._report(game, trouble)

    @happening(which=some, later=st.sampled_from((-20, 20, 40, 300)))
    def a_kickoff_changes(self, which, later) -> None:
        game = self._game(which)
        if game.kickoff + later > self.now and not game.has_outcome:
            self.league.reschedule(game, game.kickoff + later, now=self.now)
            self._save(game)

    @happening(which=some, to=some)
    def a_game_moves_to_another_round(self, which, to) -> None:
        game, number = self._game(which), 1 + to % max(each.round for each in self.league.games)
        if number == game.round or game.status == "final" or len(self.league.games_of(game.round)) == 1:
            return
        self.league.move(game, number, now=self.now)
        self._save(game)

    def _game(self, which: int) -> oracle.Game:
        return self.league.games[which % len(self.league.games)]

    def _report(self, game: oracle.Game, *what) -> None:
        game.report(*what)
        self._save(game)

    def _save(self, game: oracle.Game) -> None:
        self.mirror.save_game(game)
        self._take_back()

    def _take_back(self) -> None:
        """`repick`: whoever learns of the game takes the picks back, as long as another can be made."""
        for pool in self.pools:
            back = oracle.taken_back(pool, self.league, self.now)
            self.mirror.drop_picks(back)
            for entry, pick in back:
                entry.picks.remove(pick)

    # --- People -----------------------------------------------------------------------------------------------------

    def _open_rounds(self, pool: oracle.Pool) -> list[int]:
        """Rounds that have not locked, neither for those who lock by round nor for those by game."""
        return [
            number
            for number in pool.rounds
            if self.league.lock_of(number) is not None and not self.league.has_locked(number, self.now)
        ]

    def _some_entry(self, which: int) -> tuple[int, oracle.Pool, oracle.Entry]:
        everybody = [(index, pool, entry) for index, pool in enumerate(self.pools) for entry in pool.entries]
        return everybody[which % len(everybody)]

    def _verdict(self, pool: oracle.Pool) -> oracle.Verdict:
        return oracle.grade(pool, self.league, self.now)

    @happening(which=some, number=some, data=st.data())
    def a_player_picks_otherwise(self, which, number, data) -> None:
        _, pool, entry = self._some_entry(which)
        rounds = [number for number in self._open_rounds(pool) if number >= entry.first_round]
        if not rounds or entry.is_void:
            return
        number = rounds[number % len(rounds)]
        before = entry.picks_of(number)
        self.mirror.drop_picks([(entry, pick) for pick in before])
        entry.picks = [pick for pick in entry.picks if pick.round != number]
        for slot in range(1, pool.book_of(number).asks_for(number) + 1):
            data.draw(picked(self.league, pool, entry, number, slot))
        self.mirror.add_picks([(entry, pick) for pick in entry.picks_of(number)])

    @happening(which=some, data=st.data())
    def somebody_comes_late(self, which, data) -> None:
        index = which % len(self.pools)
        pool, coming = self.pools[index], self._open_rounds(self.pools[index])
        until = pool.book_of(coming[0]).late_entry_until if coming else None
        if until is None or self.league.has_locked(until, self.now) or self._verdict(pool).is_finished:
            return
        entry = data.draw(entries(self.league, pool, coming[0]))
        entry.picks = [pick for pick in entry.picks if pick.round in coming]
        entry.id = 1 + max(self.mirror.entries)
        pool.entries.append(entry)
        self.mirror.add_entries([(index, entry)])

    @happening(which=some, is_refunded=st.booleans())
    def a_place_is_void(self, which, is_refunded) -> None:
        _, _, entry = self._some_entry(which)
        if entry.is_void or which % 3:
            return
        entry.is_void = True
        self.mirror.void(entry)
        if is_refunded:
            entry.fees[0].is_refunded = True
            self.mirror.refund(entry)

    def _fallen(self, which: int):
        """An entry that is out, the round in which it fell, and the one in which it could play again."""
        index, pool, entry = self._some_entry(which)
        verdict, coming = self._verdict(pool), self._open_rounds(pool)
        fell, view = verdict.fates[entry.id].eliminated_round, View(pool, self.league, self.now)
        if verdict.is_finished or fell is None or not coming or not view.is_complete(fell):
            return None
        return index, pool, entry, oracle.Reprieve(fell, coming[0])

    @happening(which=some)
    def somebody_buys_back_in(self, which) -> None:
        found = self._fallen(which)
        if found is None:
            return
        index, pool, entry, reprieve = found
        book = pool.book_of(reprieve.from_round)
        bought = [fee for fee in entry.fees[1:] if not fee.is_refunded]
        if (
            book.buy_back_until is None
            or reprieve.from_round > book.buy_back_until
            or len(bought) >= book.buy_back_limit
        ):
            return
        self.mirror.buy_back(index, entry, reprieve, book.buy_back_fee_cents)
        entry.fees.append(oracle.Fee(book.buy_back_fee_cents))
        entry.reprieves.append(reprieve)

    @happening(which=some)
    def staff_reinstate(self, which) -> None:
        found = self._fallen(which)
        if found is not None:
            index, _, entry, reprieve = found
            self.mirror.reinstate(index, entry, reprieve)
            entry.reprieves.append(reprieve)

    @happening(which=some, data=st.data())
    def staff_amend_the_rules(self, which, data) -> None:
        index = which % len(self.pools)
        pool, coming = self.pools[index], self._open_rounds(self.pools[index])
        after = [number for number in coming if all(other in coming for other in range(number, pool.last_round + 1))]
        if not after or after[0] < pool.books[-1].effective or self._verdict(pool).is_finished:
            return
        book = data.draw(amended(pool.books[-1], pool.first_round, pool.last_round, after[0]))
        pool.books.append(book)
        self.mirror.amend(index, book)

    # --- Settlement -------------------------------------------------------------------------------------------------

    def settle(self, then: str, statement: int) -> None:
        """Run settlement in that way, and compare."""
        if then == "wait":
            return
        if then == "crash":
            self._crash(statement)
        promised = self._settle(dry_run=True) if then == "try" else None
        difference = self._settle()
        assert promised in (None, difference)
        self._compare()
        if then in ("twice", "afresh"):
            assert self._settle(afresh=then == "afresh").is_nothing
            self._compare()

    def _settle(self, **options):
        return settle_competition(competition_id=self.stage.competition.pk, **options).difference

    def _crash(self, statement: int) -> None:
        """Settlement dies at one of its statements, and the database forgets what it had done."""
        before = self.mirror.fates(), self.mirror.picks_made(), self.mirror.verdicts()
        left = iter(range(statement))

        def die(execute, sql, params, many, context):
            if next(left, None) is None:
                raise Killed
            return execute(sql, params, many, context)

        try:
            with transaction.atomic(), connection.execute_wrapper(die):
                self._settle()
                raise Killed
        except Killed:
            pass
        assert (self.mirror.fates(), self.mirror.picks_made(), self.mirror.verdicts()) == before

    def _compare(self) -> None:
        """What the oracle says must be in the tables, for every pool."""
        fates, picks = self.mirror.fates(), self.mirror.picks_made()
        for index, (pool, said) in enumerate(zip(self.pools, self.mirror.verdicts(), strict=True)):
            oracle.fill_in_all(pool, self.league, self.now)
            verdict = self._verdict(pool)
            agree(f"pool {index}", said, ("finished" if verdict.is_finished else "open", verdict.ended_round))
            for entry in pool.entries:
                ours = sorted(entry.picks, key=lambda pick: (pick.round, pick.slot))
                agree(f"picks of entry {entry.id}", picks[entry.id], ours)
                if entry.is_void:
                    agree(f"status of entry {entry.id}", fates[entry.id].status, "void")
                else:
                    agree(f"fate of entry {entry.id}", fates[entry.id], verdict.fates[entry.id])
