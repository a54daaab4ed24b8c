"""Rehearsals: the rules of a pool over a season that is over, to see what would have come of it.

`asking` checks a wish and writes it down, `running` has a worker play it. `playing` does that on a `stage` of temporary
tables with the names of the real ones, so that the settlement of real pools grades, ends and shares out. `casting` says
who plays, `pickers` how made-up players choose, `picking` lets them, round by round, and `outcome` reads the result.
"""

from entries.services.rehearsals.asking import MAY_REHEARSE, USUAL_MIX, Wish, ask_rehearsal, looked_at
from entries.services.rehearsals.running import forget_old_rehearsals, run_rehearsal

__all__ = [
    "MAY_REHEARSE",
    "USUAL_MIX",
    "Wish",
    "ask_rehearsal",
    "forget_old_rehearsals",
    "looked_at",
    "run_rehearsal",
]
