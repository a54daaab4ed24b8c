"""Rulings: what staff decide about a game, a pick or an entry, with a reason and two names.

One person proposes, which changes nothing and shows what would change; another confirms, which carries it out and
settles in the same transaction; a reversal brings back how things stood before. `decision` says what each kind of
ruling knows how to do, `games`, `picks` and `places` do it, and `confirming` is where it happens.
"""

from entries.services.rulings.confirming import Preview, confirm_ruling, preview_ruling, previewed_file
from entries.services.rulings.proposing import propose_reversal, propose_ruling, withdraw_ruling
from entries.services.rulings.rehearsing import rehearse_ruling
from entries.services.rulings.tally import PoolTally, Tally

__all__ = [
    "PoolTally",
    "Preview",
    "Tally",
    "confirm_ruling",
    "preview_ruling",
    "previewed_file",
    "propose_reversal",
    "propose_ruling",
    "rehearse_ruling",
    "withdraw_ruling",
]
