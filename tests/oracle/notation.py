"""Seasons small enough to read, for the tests of the oracle.

A round is a line of games, home side first: `A 3-1 B` is final, `A - B` pending, `A x B` cancelled, `A p B` postponed;
`A - B @30` kicks off 30 after the round's first, `A - B +3.5` is favoured by so much (home) or `+-3.5` (away). Round n
starts at 100 n. An entry is a line of teams, one word a round: `A . B+C` picked A, nothing, then B and C.
"""

import re

from tests.oracle import Book, Entry, Fee, Game, League, Pick, Pool

LONG_AFTER = 10_000
GAME = re.compile(r"(\w+) (?:(\d+)-(\d+)|([-xp])) (\w+)(?: @(\d+))?(?: \+(-?[\d.]+))?")
STATUS = {"-": "scheduled", "x": "cancelled", "p": "postponed"}


def league(*rounds: str) -> League:
    games: list[Game] = []
    for number, line in enumerate(rounds, start=1):
        for text in line.split(", ") if line else ():
            home, ours, theirs, sign, away, late, spread = GAME.fullmatch(text).groups()
            kickoff = 100 * number + int(late or 0)
            game = Game(len(games) + 1, number, home, away, kickoff, float(spread) if spread else None)
            game.report("final", int(ours), int(theirs)) if ours else game.report(STATUS[sign])
            games.append(game)
    return League(games)


def pool(this: League, *entries: str, fee: int = 100, **rules) -> Pool:
    last = max(game.round for game in this.games)
    made = Pool(last, books=[Book(**rules)])
    for id, line in enumerate(entries, start=1):
        made.entries.append(Entry(id, fees=[Fee(fee)]))
        for number, word in enumerate(line.split(), start=1):
            choose(this, made.entries[-1], number, *(word.split("+") if word != "." else ()))
    return made


def choose(this: League, entry: Entry, number: int, *teams: str) -> None:
    """The entry's picks of a round, instead of those it had."""
    entry.picks = [pick for pick in entry.picks if pick.round != number]
    for slot, team in enumerate(teams, start=1):
        game = next(game for game in this.games_of(number) if team in game.teams)
        entry.picks.append(Pick(number, team, game.id, slot))


def game(this: League, number: int, team: str) -> Game:
    return next(game for game in this.games_of(number) if team in game.teams)


def told(verdict) -> list[str]:
    """Each entry's fate in a word or two: `active`, `pick_lost 3`, `winner 250`; strikes as `active/1`."""
    said = []
    for _, fate in sorted(verdict.fates.items()):
        words = f"{fate.eliminated_code} {fate.eliminated_round}" if fate.status == "eliminated" else fate.status
        said.append(words + (f"/{fate.strikes}" if fate.strikes else "") + (f" {fate.prize}" if fate.prize else ""))
    return said
