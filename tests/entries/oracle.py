"""An independent grader in plain Python, written from the rule book and sharing no code with the product.

It goes round by round and entry by entry, as a person with a pencil would.
"""

from dataclasses import dataclass, field


@dataclass
class Played:
    """A game's outcome: None while pending, "cancelled", or (home score, away score)."""

    home: str
    away: str
    outcome: tuple[int, int] | str | None = None


@dataclass
class Book:
    strikes: int = 0
    tie: str = "loss"
    missed_pick: str = "eliminate"
    cancelled_game: str = "loss"
    all_out: str = "split"


@dataclass
class Fate:
    status: str = "active"
    round: int | None = None
    code: str = ""
    strikes: int = 0
    prize: int | None = None


@dataclass
class Ledger:
    losses: int = 0
    out: tuple[int, str] | None = None
    missed_in: set = field(default_factory=set)


def grade(book: Book, rounds: list[list[Played]], picks: list[list[str | None]], pot: int) -> list[Fate]:
    """The fate of each entry. `rounds[r]` are the games of round r+1, all locked; `picks[e][r]` a team or None."""
    book_of = [Ledger() for _ in picks]
    over: int | None = None
    winners: list[int] = []
    all_before_complete = True
    for number, games in enumerate(rounds, start=1):
        if all(game.outcome is None for game in games):
            all_before_complete = False
            continue
        alive = [i for i, ledger in enumerate(book_of) if ledger.out is None]
        before = {i: book_of[i].losses for i in alive}
        for i in alive:
            _grade_one(book, book_of[i], number, games, picks[i][number - 1])
        all_before_complete = all_before_complete and all(game.outcome is not None for game in games)
        if not all_before_complete or not picks:
            continue
        left = [i for i in alive if book_of[i].out is None]
        if not left and book.all_out == "revive":
            for i in alive:
                book_of[i].out, book_of[i].losses = None, before[i]
            left = alive
        if len(left) <= 1 or number == len(rounds):
            over = number
            submitted = [i for i in alive if number not in book_of[i].missed_in]
            winners = left or submitted or alive
            break
    fates = []
    for i, ledger in enumerate(book_of):
        if i in winners:
            share = pot // len(winners) + (1 if winners.index(i) < pot % len(winners) else 0)
            fates.append(Fate("winner", strikes=min(ledger.losses, book.strikes), prize=share))
        elif ledger.out:
            fates.append(Fate("eliminated", *ledger.out, strikes=min(ledger.losses, book.strikes)))
        else:
            fates.append(Fate(strikes=ledger.losses))
    assert over is not None or not winners
    return fates


def _grade_one(book: Book, ledger: Ledger, number: int, games: list[Played], team: str | None) -> None:
    if team is None:
        ledger.missed_in.add(number)
        if book.missed_pick == "eliminate":
            ledger.out = (number, "no_pick")
            return
        lost = "no_pick"
    else:
        game = next(g for g in games if team in (g.home, g.away))
        lost = _loss(book, game, team)
    if not lost:
        return
    ledger.losses += 1
    if ledger.losses > book.strikes:
        ledger.out = (number, lost)


def _loss(book: Book, game: Played, team: str) -> str:
    if game.outcome is None:
        return ""
    if game.outcome == "cancelled":
        return "game_cancelled" if book.cancelled_game == "loss" else ""
    home, away = game.outcome
    if home == away:
        return "pick_tied" if book.tie == "loss" else ""
    winner = game.home if home > away else game.away
    return "" if team == winner else "pick_lost"
