"""The posting rules: one function for each thing that can happen to money, and the lines that it has.

Debits are positive. Amounts are in minor units, of the currency that the fact names. The rules are those of a
double-entry book: money that arrives is owed until it is the price of a place; then it belongs to the pool's players,
less the house's part. What is given back is owed to the player until it has really gone.

The lines of a bank's statement have rules of their own, in `bank`.
"""

from payments.ledger.rules.disputes import (
    chargeback_recovered,
    dispute_fee_taken,
    dispute_lost,
    dispute_recovered,
    dispute_reinstated,
    dispute_withdrawn,
)
from payments.ledger.rules.doubts import (
    found_foreign,
    found_ours,
    written_off,
)
from payments.ledger.rules.facts import (
    Fee,
    Sum,
    fee_of,
    house_part,
)
from payments.ledger.rules.places import (
    fee_waived,
    place_paid,
    place_taken,
    waived_place_taken,
)
from payments.ledger.rules.prizes import (
    pool_settled,
    prize_corrected,
    settlement_reversed,
    winner_paid,
    winner_payment_returned,
)
from payments.ledger.rules.providers import (
    charge_received,
    converted,
    fee_corrected,
    fee_taken,
    moved_for_others,
    provider_payout,
    unexplained,
)
from payments.ledger.rules.refunds import (
    external_refund,
    external_refund_returned,
    external_refund_settled,
    goodwill_decided,
    goodwill_recovered,
    refund_decided,
    refund_paid,
    refund_returned,
    refund_withdrawn,
)

__all__ = [
    "Fee",
    "Sum",
    "charge_received",
    "chargeback_recovered",
    "converted",
    "dispute_fee_taken",
    "dispute_lost",
    "dispute_recovered",
    "dispute_reinstated",
    "dispute_withdrawn",
    "external_refund",
    "external_refund_returned",
    "external_refund_settled",
    "fee_corrected",
    "fee_of",
    "fee_taken",
    "fee_waived",
    "found_foreign",
    "found_ours",
    "goodwill_decided",
    "goodwill_recovered",
    "house_part",
    "moved_for_others",
    "place_paid",
    "place_taken",
    "pool_settled",
    "prize_corrected",
    "provider_payout",
    "refund_decided",
    "refund_paid",
    "refund_returned",
    "refund_withdrawn",
    "settlement_reversed",
    "unexplained",
    "waived_place_taken",
    "winner_paid",
    "winner_payment_returned",
    "written_off",
]
