"""An independent grader in plain Python, written from `docs/rules.md` and sharing no code with the product.

It goes round by round and entry by entry, as a person with a pencil would: clear, slow, and without a database.
Instants are anything that compares (numbers, datetimes); the numbers in comments are those of the rule book.
"""

from tests.oracle.filling import fill_in, fill_in_all
from tests.oracle.grading import Fate, Verdict, grade
from tests.oracle.league import Game, League
from tests.oracle.pool import Book, Entry, Fee, Pick, Pool, Reprieve
from tests.oracle.worth import Worth, taken_back, worth_of

__all__ = [
    "Book",
    "Entry",
    "Fate",
    "Fee",
    "Game",
    "League",
    "Pick",
    "Pool",
    "Reprieve",
    "Verdict",
    "Worth",
    "fill_in",
    "fill_in_all",
    "grade",
    "taken_back",
    "worth_of",
]
