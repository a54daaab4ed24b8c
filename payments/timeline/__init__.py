"""Everything that ever happened to one place, from the request to the payout, in the order in which it happened.

lines   what one line says
place   the request, the entry and its returns, picks that may be shown, results, rulings
money   payments, receipts, refunds, disputes, prizes and payouts
mails   what the player was told, as long as it is remembered

It is read from the rows that the database itself keeps of each change, each table once, whatever its length. Picks of a
round that can still change are as secret here as everywhere, also how often they changed.
"""

from payments.timeline.composing import Timeline, timeline_of

__all__ = ["Timeline", "timeline_of"]
