"""What the ledger says is in a pool's pot: proven from its lines, never from a count of entries."""

from payments.ledger.accounts import AccountName, Kind
from payments.ledger.balances import balance_of
from payments.services.booking import livemode
from pools.models import Pool


def pot_of(pool: Pool) -> int:
    """Minor units of the pool's currency that its players own together, as of this transaction."""
    return -balance_of(AccountName(Kind.PRIZE_POT, pool_id=pool.pk), pool.currency, livemode=livemode())
