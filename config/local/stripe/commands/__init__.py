"""Controls that move money: what banks, customers and other people do to the account, without asking the API.

Each runs in one transaction and is refused as a whole. The package's own documentation describes them.
"""

from collections.abc import Callable

from config.local.stripe.commands import books, disputes, refunds
from config.local.stripe.wire import Json
from config.local.stripe.work import Work

Command = Callable[[Work, Json], Json]

COMMANDS: dict[tuple[str, str], Command] = {
    ("GET", "/_double/books"): books.read,
    ("POST", "/_double/disputes"): disputes.open_one,
    ("POST", "/_double/disputes/move"): disputes.move,
    ("POST", "/_double/refunds"): refunds.make,
    ("POST", "/_double/refunds/move"): refunds.move,
    ("POST", "/_double/refunds/next"): refunds.order,
}
