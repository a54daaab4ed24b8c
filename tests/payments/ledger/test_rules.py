"""The posting rules: each balances, whatever the amounts; fees are split without losing a cent."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.ledger import rules
from payments.ledger.accounts import AccountName, Kind
from payments.ledger.models import LARGEST
from payments.ledger.rules import Sum, fee_of, house_part
from tests.support.properties import UNHURRIED

AT = datetime(2026, 9, 10, tzinfo=UTC)
cents = st.integers(1, 10**12)
signed = st.integers(-(10**12), 10**12)
sums = st.builds(Sum, cents, st.sampled_from(["usd", "jpy", "kwd", "eur"]), st.booleans(), st.just(AT))
signed_sums = st.builds(Sum, signed, st.sampled_from(["usd", "jpy", "kwd"]), st.booleans(), st.just(AT))
fees = st.builds(fee_of, st.integers(1, 99), st.integers(0, 10**9), st.integers(0, 10_000))
prizes = st.dictionaries(st.integers(1, 10**6), cents, min_size=1, max_size=8)
ids = st.integers(1, 10**9)
flags = st.booleans()
maybe = st.none() | ids


def shared(function, *, reverses=False):
    def drawn(settlement, pool, prizes, money, entry):
        whole = Sum(sum(prizes.values()), money.currency, money.livemode, money.at)
        return function(settlement, pool, prizes, whole, *([entry] if reverses else []))

    return st.builds(drawn, st.just("7:1"), ids, prizes, sums, ids)


corrections = st.sampled_from(["repaid", "came_back", "borne", "reclaimed", "tax_released"])
SUSPENSE = st.just(AccountName(Kind.SUSPENSE, provider="stripe"))
P, M, R = st.just("stripe"), st.just("txn_1"), st.just("4c7f")
EVERY = {
    "charge_received": st.builds(rules.charge_received, P, M, sums),
    "fee_taken": st.builds(rules.fee_taken, P, M, signed_sums),
    "converted": st.builds(rules.converted, P, M, sums, sums),
    "place_paid": st.builds(rules.place_paid, ids, fees, sums),
    "place_taken": st.builds(rules.place_taken, ids, fees, sums, maybe),
    "fee_waived": st.builds(rules.fee_waived, ids, fees, sums, is_import=flags),
    "waived_place_taken": st.builds(rules.waived_place_taken, ids, fees, sums, maybe, is_import=flags),
    "refund_decided": st.builds(rules.refund_decided, R, ids, sums),
    "goodwill_decided": st.builds(rules.goodwill_decided, R, ids, ids, sums),
    "goodwill_recovered": st.builds(rules.goodwill_recovered, ids, ids, sums),
    "refund_withdrawn": st.builds(rules.refund_withdrawn, R, ids, sums, ids),
    "refund_paid": st.builds(rules.refund_paid, R, P, ids, sums),
    "refund_returned": st.builds(rules.refund_returned, R, P, ids, sums, maybe),
    "external_refund": st.builds(rules.external_refund, R, P, sums),
    "external_refund_returned": st.builds(rules.external_refund_returned, R, P, sums, maybe),
    "external_refund_settled": st.builds(rules.external_refund_settled, R, P, sums, goodwill_of_pool=maybe),
    "dispute_withdrawn": st.builds(rules.dispute_withdrawn, P, M, st.integers(0, 10**6), sums),
    "dispute_reinstated": st.builds(rules.dispute_reinstated, P, M, st.integers(0, 10**6), sums),
    "dispute_fee_taken": st.builds(rules.dispute_fee_taken, P, M, signed_sums),
    "dispute_lost": st.builds(rules.dispute_lost, R, P, sums, from_unallocated=cents),
    "dispute_recovered": st.builds(rules.dispute_recovered, R, P, sums, maybe, to_unallocated=cents),
    "chargeback_recovered": st.builds(rules.chargeback_recovered, ids, sums),
    "pool_settled": shared(rules.pool_settled),
    "settlement_reversed": shared(rules.settlement_reversed, reverses=True),
    "winner_paid": st.builds(rules.winner_paid, R, ids, st.integers(0, 10**6), P, sums),
    "winner_payment_returned": st.builds(rules.winner_payment_returned, R, ids, st.integers(0, 10**6), P, sums, maybe),
    "prize_corrected": st.builds(rules.prize_corrected, R, corrections, ids, P, sums),
    "fee_corrected": st.builds(rules.fee_corrected, P, M, st.integers(1, 9), signed_sums, of_dispute=flags),
    "moved_for_others": st.builds(rules.moved_for_others, P, M, signed_sums),
    "written_off": st.builds(rules.written_off, ids, SUSPENSE, signed_sums),
    "found_foreign": st.builds(rules.found_foreign, ids, SUSPENSE, signed_sums),
    "found_ours": st.builds(rules.found_ours, ids, SUSPENSE, signed_sums, ids),
    "provider_payout": st.builds(rules.provider_payout, P, M, signed_sums),
    "unexplained": st.builds(rules.unexplained, P, M, signed_sums),
}  # fmt: skip


@pytest.mark.parametrize("name", EVERY)
def test_every_rule_balances_for_every_amount(name):
    @UNHURRIED
    @given(EVERY[name])
    def balances(drafts):
        for draft in drafts if isinstance(drafts, tuple) else (drafts,):
            assert sum(line.amount for line in draft.lines) == 0
            assert len({line.account for line in draft.lines}) == len(draft.lines)
            assert all(abs(line.amount) <= LARGEST for line in draft.lines)
            assert draft.effective_at == AT

    balances()


def test_every_rule_is_tried():
    """A function that is added must be added here."""
    public = {
        name
        for name, thing in vars(rules).items()
        if callable(thing) and getattr(thing, "__module__", "").startswith(f"{rules.__name__}.")
    }
    assert public - {"Sum", "Fee", "house_part", "fee_of"} == set(EVERY)


@UNHURRIED
@given(fee=st.integers(0, 10**10), part=st.integers(0, 10_000))
def test_pot_and_house_are_the_fee_and_the_houses_part_is_rounded_down(fee, part):
    split = fee_of(1, fee, part)
    assert split.whole == fee
    assert (split.pot >= 0, split.house >= 0) == (True, True)
    assert split.house * 10_000 <= fee * part < (split.house + 1) * 10_000


@pytest.mark.parametrize(
    ("fee", "part", "house"), [(5000, 1000, 500), (999, 1250, 124), (500, 333, 16), (1, 9999, 0), (7, 10_000, 7)]
)
def test_examples_of_the_houses_part(fee, part, house):
    assert house_part(fee, part) == house


def test_who_owes_whom_after_a_place_was_paid_and_given_back():
    """The example of the book: 50.00 with 10 % for the house."""
    fee, money = fee_of(3, 5000, 1000), Sum(5000, "usd", False, AT)
    story = [
        rules.charge_received("stripe", "ch", money),
        rules.place_paid(1, fee, money),
        rules.place_taken(1, fee, money, None),
        rules.refund_decided("r", 9, money),
        rules.refund_paid("r", "stripe", 9, money),
    ]
    lines = [{line.account.kind: line.amount for line in draft.lines} for draft in story]
    assert lines == [
        {Kind.CLEARING: 5000, Kind.UNALLOCATED: -5000},
        {Kind.UNALLOCATED: 5000, Kind.PRIZE_POT: -4500, Kind.FEE_REVENUE: -500},
        {Kind.UNALLOCATED: -5000, Kind.PRIZE_POT: 4500, Kind.FEE_REVENUE: 500},
        {Kind.UNALLOCATED: 5000, Kind.REFUND_PAYABLE: -5000},
        {Kind.REFUND_PAYABLE: 5000, Kind.CLEARING: -5000},
    ]
