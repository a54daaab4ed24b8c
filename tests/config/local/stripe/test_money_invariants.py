"""Whatever happens in whatever order, and however much of it is refused, the double's money adds up."""

import random

import pytest

from config.local.stripe.account import Account
from config.local.stripe.commands import COMMANDS
from config.local.stripe.commands.bodies import Refused
from config.local.stripe.double import Double
from config.local.stripe.errors import StripeError
from config.local.stripe.objects import disputes, payout_moves, refund_moves
from config.local.stripe.objects.balance import read_balance

STEPS = 250
COUNTED = ("pending", "requires_action", "succeeded")


@pytest.fixture
def inside(tmp_path):
    """The double without its server."""
    double = Double(tmp_path, Account("http://127.0.0.1:1"))
    yield double
    double.close()


class Walk:
    """People and banks who do at random what they can think of."""

    def __init__(self, double, seed):
        self.double = double
        self.random = random.Random(seed)
        self.done = 0

    def step(self):
        action = self.random.choice([self.charge, self.debit, self.refund, self.dispute, self.order, self.pay_out])
        if self.random.random() < 0.5:
            action = self.random.choice([self.move_refund, self.move_dispute, self.move_payout, self.give_back])
        try:
            action()
            self.done += 1
        except (StripeError, Refused):
            pass
        self.double.advance(self.random.choice([0, 0, 60, 3600, 86_400, 5 * 86_400]))

    def command(self, path, **body):
        with self.double.work() as work:
            return COMMANDS["POST", f"/_double{path}"](work, body)

    def any(self, kind):
        with self.double.work() as work:
            found = work.all(kind)
        if not found:
            raise Refused(f"no {kind} yet")
        return self.random.choice(found)

    def charge(self):
        amount, currency = self.random.choice([(5000, "usd"), (1500, "jpy"), (12340, "kwd")])
        self.command("/charges", amount=amount, currency=currency, checkout=self.random.random() < 0.5)

    def debit(self):
        session = self.command("/charges", amount=5000, currency="usd", checkout=True)["session"]
        with self.double.work() as work:
            body = work.get("checkout.session", session)
            work.change(body, status="open", payment_status="unpaid", payment_intent=None)
        self.command("/delayed", session=session)
        self.command("/delayed/settle", session=session, outcome=self.random.choice(["succeeded", "failed"]))

    def order(self):
        if self.random.random() < 0.5:
            self.command("/refunds/next", status=self.random.choice(["pending", "requires_action"]))
        else:
            self.command("/settlement", currency="eur", rate=self.random.choice([0.92, 1.07, 0.0061]))

    def part(self, charge):
        return self.random.choice([None, charge["amount"], self.random.randrange(10, charge["amount"] + 10, 10)])

    def refund(self):
        charge = self.any("charge")
        self.command("/refunds", charge=charge["id"], amount=self.part(charge))

    def dispute(self):
        charge = self.any("charge")
        inquiry = self.random.random() < 0.5
        self.command("/disputes", charge=charge["id"], amount=self.part(charge), inquiry=inquiry)

    def give_back(self):
        kind = self.random.choice(["dispute", "payment_failure_refund"])
        self.command("/returns", charge=self.any("charge")["id"], **{"as": kind})

    def pay_out(self):
        self.command("/payouts/run")

    def move_refund(self):
        status = self.random.choice(list(refund_moves.MOVES))
        self.command("/refunds/move", id=self.any("refund")["id"], status=status)

    def move_dispute(self):
        status = self.random.choice(list(disputes.MOVES))
        returned = self.random.random() < 0.3
        self.command("/disputes/move", id=self.any("dispute")["id"], status=status, fee_returned=returned)

    def move_payout(self):
        status = self.random.choice(list(payout_moves.MOVES))
        self.command("/payouts/move", id=self.any("payout")["id"], status=status)


def check(work):
    check_refunds(work)
    check_disputes(work)
    check_payouts(work)
    check_books(work)


def check_refunds(work):
    for charge in work.all("charge"):
        counted = sum(one["amount"] for one in work.all("refund", charge=charge["id"]) if one["status"] in COUNTED)
        assert charge["amount_refunded"] == counted <= charge["amount"]
        assert charge["refunded"] is (counted == charge["amount"])
    for refund in work.all("refund"):
        drawn, back = refund["balance_transaction"], refund["failure_balance_transaction"]
        assert (drawn is not None and back is None) is (refund["status"] == "succeeded")
        assert back is None or drawn is not None


def check_disputes(work):
    for dispute in work.all("dispute"):
        legs = [leg["reporting_category"] for leg in dispute["balance_transactions"]]
        expected = {"won": 2, "prevented": 0}.get(
            dispute["status"], 0 if dispute["status"] in disputes.INQUIRIES else 1
        )
        assert legs == ["dispute", "dispute_reversal"][:expected]
        assert work.get("charge", dispute["charge"])["disputed"] is True


def check_payouts(work):
    nets = {}
    for movement in work.all("balance_transaction"):
        payout = work.hidden(movement["id"]).get("payout")
        if payout is not None:
            nets[payout] = nets.get(payout, 0) + movement["net"]
    assert set(nets.values()) <= {0}
    assert set(nets) == {payout["id"] for payout in work.all("payout")}


def check_books(work):
    books = COMMANDS["GET", "/_double/books"](work, {})
    balance = read_balance(work)
    for currency, sums in books["currencies"].items():
        parts = sums["categories"].values()
        assert sums["net"] == sums["gross"] - sums["fee"] == sum(part["net"] for part in parts)
        assert sums["net"] == sums["available"] + sums["pending"]
        payouts = sum(part["net"] for name, part in sums["categories"].items() if name.startswith("payout"))
        charges = (one["settled"] for one in books["charges"] if one["settled"]["currency"] == currency)
        assert sums["net"] == payouts + sum(one["net"] for one in charges)
    assert {part["currency"] for part in balance["available"]} >= set(books["currencies"])
    for one in books["charges"]:
        assert 0 <= one["refunded"] + one["refund_pending"] <= one["amount"]


@pytest.mark.parametrize("seed", range(8))
def test_money_adds_up_after_every_step(inside, seed):
    walk = Walk(inside, seed)

    for _ in range(STEPS):
        walk.step()
        with inside.work() as work:
            check(work)

    assert walk.done > STEPS / 5
