"""Saving and taking back picks.

`facts` gathers what the rules ask about, `refusals` says no in the words of the contract, `writing` writes, `saving`
is the whole, and `many` the same for many entries at once.
"""

from entries.services.picks.many import save_picks
from entries.services.picks.saving import SavedPick, Wish, delete_pick, save_pick

__all__ = ["SavedPick", "Wish", "delete_pick", "save_pick", "save_picks"]
