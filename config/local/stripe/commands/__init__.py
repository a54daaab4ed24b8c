"""Controls that move money: what banks, customers and other people do to the account, without asking the API.

Each runs in one transaction and is refused as a whole. The package's own documentation describes them.
"""

from collections.abc import Callable

from config.local.stripe.commands import (
    books,
    delayed,
    disputes,
    events,
    movements,
    payouts,
    refunds,
    strangers,
    transfers,
)
from config.local.stripe.wire import Json
from config.local.stripe.work import Work

Command = Callable[[Work, Json], Json]

COMMANDS: dict[tuple[str, str], Command] = {
    ("GET", "/_double/books"): books.read,
    ("POST", "/_double/charges"): strangers.pay,
    ("POST", "/_double/delayed"): delayed.begin,
    ("POST", "/_double/delayed/settle"): delayed.settle,
    ("POST", "/_double/disputes"): disputes.open_one,
    ("POST", "/_double/disputes/move"): disputes.move,
    ("POST", "/_double/events"): events.announce,
    ("POST", "/_double/events/missed"): events.admit_missed,
    ("POST", "/_double/movements"): movements.make,
    ("POST", "/_double/payouts/move"): payouts.move,
    ("POST", "/_double/payouts/reconcile"): payouts.reconcile,
    ("POST", "/_double/payouts/run"): payouts.run,
    ("POST", "/_double/refunds"): refunds.make,
    ("POST", "/_double/refunds/move"): refunds.move,
    ("POST", "/_double/refunds/next"): refunds.order,
    ("POST", "/_double/returns"): delayed.give_back,
    ("POST", "/_double/settlement"): strangers.order_settlement,
    ("POST", "/_double/transfers/reverse"): transfers.reverse,
}
