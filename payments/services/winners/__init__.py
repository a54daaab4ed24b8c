"""Prizes on their way to the winners.

    standing     what a player has won in a pool, was paid, is owed, or was paid too much
    locking      who is held while that is looked at
    accounts     where a player is paid at a provider: two names
    bulk         all winners of a pool at once, and many approvals
    sending      asking the provider, and asking again when no answer came
    mirroring    the one routine that applies what the provider says of a payout
    outcomes     what became of a payout, in the books: it has moved, it came back, or a person looks
    corrections  what was paid too much, or withheld too much: by two names, or by the machine

`payments.services.payouts` decides: a wish, its second name, the handover. A payout is booked when the money has
moved, never before, so a prize stays owed until then, whatever fails.
"""
