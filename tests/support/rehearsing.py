"""Seasons that are over, to rehearse on, and what an oracle makes of the same."""

import random
from datetime import timedelta

from entries.models import Rehearsal
from entries.queries.reveal import revealed_rounds
from entries.services.imports.rows import Row
from entries.services.rehearsals.playing import played
from pools.models import Game, Round, Team
from tests import oracle
from tests.factories.pools import league

CODES = ("ANT", "BAT", "CAT", "DOG", "ELK", "FOX", "GNU", "HEN")
# The first team is the best, and favourites win more often than not.
SCORES = ((3, 1), (2, 0), (2, 1), (1, 1), (0, 2))
REASONS = ("pick_lost", "pick_tied", "no_pick", "game_cancelled", "tiebreak")


def season(*, rounds=6, seed=1, codes=CODES):
    """A competition whose rounds have all been played, with spreads; one game was called off."""
    played_one = league(rounds=rounds, codes=codes, first_kickoff_in=timedelta(days=-7 * rounds - 7))
    dice, games = random.Random(seed), list(Game.objects.filter(competition=played_one).order_by("pk"))
    teams = list(Team.objects.filter(competition=played_one).order_by("code"))
    for place, game in enumerate(games):
        home, away = _pairing(teams, place)
        game.home, game.away = home, away
        game.home_score, game.away_score = dice.choice(SCORES)
        game.status, game.home_spread = "final", dice.choice((None, 3, -3, 7))
    games[rounds].status, games[rounds].home_score, games[rounds].away_score = "cancelled", None, None
    Game.objects.bulk_update(games, ["home", "away", "home_score", "away_score", "status", "home_spread"])
    revealed_rounds(played_one.pk)
    return played_one


def _pairing(teams, place):
    """Everybody meets everybody: one stays, the others go round."""
    number, nth = divmod(place, len(teams) // 2)
    first, *others = teams
    turn = number % len(others)
    table = [first, *others[turn:], *others[:turn]]
    return table[nth], table[-1 - nth]


def rows_of(competition, *, entries=30, seed=2):
    """Lines of a file: each entry picks a team of its own that it has not used, and some forget."""
    dice, rows = random.Random(seed), []
    rounds = list(Round.objects.filter(competition=competition).order_by("number"))
    for n in range(1, entries + 1):
        left = list(Team.objects.filter(competition=competition).order_by("code").values_list("code", flat=True))
        for round_ in rounds:
            code = left.pop(dice.randrange(len(left))) if dice.random() < 0.95 and left else ""
            if code:
                rows.append(Row(len(rows) + 2, f"entry-{n}", f"Owner {n}", round_.number, code, ""))
    return rows


def graded(rehearsal: Rehearsal):
    """For each rule set what the oracle says of the very picks that were made: the verdict, and the picks filled in."""
    with played(rehearsal) as (cursor, _, _):
        cursor.execute("""
            SELECT e.pool_id, e.id, e.first_round_number, e.status = 'void', f.fee, r.number, k.slot, t.code, k.game_id,
                   k.source
            FROM entries_entry e
            CROSS JOIN LATERAL (SELECT max(fee_cents) AS fee FROM entries_feetally WHERE pool_id = e.pool_id) f
            LEFT JOIN (entries_pick k JOIN pools_round r ON r.id = k.round_id
                       JOIN public.pools_team t ON t.id = k.team_id) ON k.entry_id = e.id ORDER BY e.id
        """)
        rows = cursor.fetchall()
        cursor.execute("""
            SELECT c.entry_id, t.code FROM entries_fallbackchange c
            CROSS JOIN LATERAL unnest(c.team_ids) WITH ORDINALITY listed (team_id, place)
            JOIN public.pools_team t ON t.id = listed.team_id ORDER BY c.entry_id, listed.place
        """)
        lists = cursor.fetchall()
    return [_graded(rehearsal, place, rows, lists) for place in range(1, len(rehearsal.rule_sets) + 1)]


def _graded(rehearsal, place, rows, lists):
    switches = dict(rehearsal.rule_sets[place - 1]["switches"])
    for key in ("two_pick_rounds", "payout_table"):
        switches[key] = tuple(switches[key])
    first, last = rehearsal.first_round_number, rehearsal.last_round_number
    pool = oracle.Pool(last, first, [oracle.Book(effective=first, **switches)])
    entries, filled = {}, set()
    for pool_id, pk, first_round, is_void, fee, number, slot, code, game, source in rows:
        if pool_id != place:
            continue
        entry = entries.setdefault(pk, oracle.Entry(pk, first_round, fees=[oracle.Fee(fee)], is_void=is_void))
        if source in ("fallback", "favourite"):
            filled.add((pk, number, slot, code))
        elif number is not None:
            entry.picks.append(oracle.Pick(number, code, game, slot))
    for pk, code in lists:
        if pk in entries:
            entries[pk].fallback.append(code)
    pool.entries = list(entries.values())
    these, now = league_of(rehearsal.competition), 10_000
    made = _filled_in(pool, these, now)
    return oracle.grade(pool, these, now), made, filled


def _filled_in(pool, these, now):
    """Round by round: players choose theirs once they see what was filled in for them before."""
    chosen, made = {entry.id: entry.picks for entry in pool.entries}, set()
    for entry in pool.entries:
        entry.picks = []
    for number in pool.rounds:
        for entry in pool.entries:
            entry.picks += [pick for pick in chosen[entry.id] if pick.round == number]
        lacking = oracle.filling.lacking(pool, these, number, now)
        for entry, pick in oracle.fill_in(pool, these, number, now):
            entry.picks.append(pick)
            made.add((entry.id, pick.round, pick.slot, pick.team))
        for entry in lacking:
            entry.tried.add(number)
    return made


def league_of(competition):
    """The games for the oracle; instants are the order of kickoffs."""
    games = list(Game.objects.filter(competition=competition).select_related("round", "home", "away").order_by("pk"))
    instants = {at: place for place, at in enumerate(sorted({game.kickoff_at for game in games}))}
    return oracle.League([
        oracle.Game(
            game.pk, game.round.number, game.home.code, game.away.code, instants[game.kickoff_at],
            None if game.home_spread is None else float(game.home_spread),
        ).report(game.status, game.home_score, game.away_score)
        for game in games
    ])  # fmt: skip


def told(verdict, rounds):
    """The verdict in the words of a result: the end, who was left and why others were not, prizes."""
    fates = verdict.fates.values()
    left, lines = len(verdict.fates), []
    for number in rounds:
        out = {
            code: count
            for code in REASONS
            if (count := sum((f.eliminated_round, f.eliminated_code) == (number, code) for f in fates))
        }
        left -= sum(out.values())
        lines.append((number, left, out))
    prizes = sorted(((f.prize, f.status) for f in fates if f.prize), reverse=True)
    return {"ended": verdict.ended_round, "winners": sum(f.status == "winner" for f in fates), "rounds": lines,
            "prizes": [prize for prize, _ in prizes]}  # fmt: skip
