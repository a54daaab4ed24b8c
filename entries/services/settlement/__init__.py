"""Settlement: turning final games into eliminations and winners.

An entry's fate is a function of rules, picks and results. `derive` computes it in temporary tables, for all pools of
a competition at once and without a row passing through Python; `apply` writes only what differs from what stands.
Settling twice therefore changes nothing, and settling a corrected score gives what the right score would have given.
"""

from entries.services.settlement.run import Settlement, settle_competition, settle_due

__all__ = ["Settlement", "settle_competition", "settle_due"]
