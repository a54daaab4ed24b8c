"""Money on its way back.

    checks      what may be given back, from whose money, and who has to agree
    decisions   the moment a refund is decided: the books, the place, the receipt
    deciding    a person's wish, its second name, and sending again what failed
    unapplied   money that became no place: it goes back by itself, or waits for a person
    external    refunds that were made at the provider, past us
    sending     asking the provider, and asking again when no answer came
    mirroring   the one routine that applies what the provider says of a refund

A refund is decided and booked in one transaction, with an outbox row; the provider is asked afterwards, under a key
that stays the same until it has answered for good. So nothing is ever sent twice, and nothing that is decided is lost.
"""
