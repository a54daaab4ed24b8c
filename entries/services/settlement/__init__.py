"""Settlement: turning final games into eliminations and winners.

An entry's fate is a function of rules, picks, results and rulings. It is derived in temporary tables, for all pools of
a competition at once and without a row passing through Python: `facts` finds what there is to settle and from which
round on, `fill_in` makes the picks that were missed, `losses` grades a round, `ends` finds where pools end and shares
out; `apply` writes only what differs from what stands. Settling twice therefore changes nothing, and settling a
corrected score gives what the right score would have given.
"""

from entries.services.settlement.apply import Difference
from entries.services.settlement.lines import Line, MovedEnd, moved_ends
from entries.services.settlement.run import Settlement, settle_competition, settle_due

__all__ = ["Difference", "Line", "MovedEnd", "Settlement", "moved_ends", "settle_competition", "settle_due"]
