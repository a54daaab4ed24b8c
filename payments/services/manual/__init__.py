"""Money that passes by hand: one member of staff writes it down, another confirms it, and only then it counts.

records    what is written of each passing of money, and the second name
evidence   the scans beside it: what may be kept, and how it leaves the house again
incoming   a fee that was paid by hand
outgoing   a refund or a prize that was handed over
deciding   the second person's word, and what follows from it
"""
