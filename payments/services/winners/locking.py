"""Who is held while a prize is looked at: the pool, the entries that won, the player, in this order.

Two payouts of one player take turns, also of two pools; a payout and a correction of its prize take turns.
"""

from dataclasses import dataclass

from accounts.models import User
from config.errors import Code, NotFound
from entries.models import Entry
from payments.models import Payout, PrizeBooking
from payments.services.prizes import latest_booking
from pools.models import Pool


@dataclass(frozen=True, slots=True)
class Winner:
    """A player in a pool, held until the end of the transaction, with the entries that won by the newest booking."""

    pool: Pool
    player: User
    booking: PrizeBooking | None
    entries: tuple[Entry, ...]


def lock_winner(pool_id: int, player_id: int) -> Winner:
    """Hold them. Raises NOT_FOUND."""
    pool = Pool.objects.locked().filter(pk=pool_id).first()
    if pool is None:
        raise NotFound(Code.NOT_FOUND, "There is no such pool.")
    booking = latest_booking(pool)
    prizes = {} if booking is None else booking.prizes
    mine = Entry.objects.filter(pool=pool, user=player_id).values_list("pk", flat=True)
    won = [pk for pk in mine if str(pk) in prizes]
    entries = tuple(Entry.objects.locked().filter(pk__in=won).order_by("pk"))
    player = User.objects.select_for_update(no_key=True).filter(pk=player_id).first()
    if player is None:
        raise NotFound(Code.NOT_FOUND, "There is no such player.")
    return Winner(pool, player, booking, entries)


def lock_entry_owner(entry_id: int) -> Winner:
    """The same, of whoever owns an entry. Raises NOT_FOUND."""
    found = Entry.objects.filter(pk=entry_id).values_list("pool_id", "user_id").first()
    if found is None:
        raise NotFound(Code.NOT_FOUND, "There is no such entry.")
    return lock_winner(*found)


def lock_payout(payout_id: int) -> tuple[Payout, Winner]:
    """The payout with its player and booking, and who is held with it. Raises NOT_FOUND."""
    found = Payout.objects.filter(pk=payout_id).values_list("booking__pool_id", "player_id").first()
    if found is None:
        raise NotFound(Code.NOT_FOUND, "There is no such payout.")
    winner = lock_winner(*found)
    payout = Payout.objects.locked().select_related("booking").get(pk=payout_id)
    payout.booking.pool, payout.player = winner.pool, winner.player
    return payout, winner
