"""`manage.py replay SEASON`: a real season from schedule to winners, compared with its published results.

Imports the schedule without results, makes a pool with the contest's rules, imports every entry with its picks, then
takes the results and settles round by round; what the contest's staff decided beyond the results is ruled on by two
members of staff. Compares the number of entries alive after every round, and at the end the fate of every single entry,
and names whichever differs with the reason. Runs in a scratch database beside the system's own, which it never touches.

The data is not part of the project: `../shared/data`, or the folder that OUTLAST_SHARED_DATA names.
"""

import argparse
import os

from config.local import home
from config.local.replay.season import SEASONS


def main(argv: list[str]) -> int:
    """Replay the seasons asked for; 1 when anything differs that is not excused by name."""
    summary, _, rest = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(prog="manage.py replay", description=summary, epilog=rest)
    parser.add_argument("season", choices=SEASONS)
    season = parser.parse_args(argv).season

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    # Matplotlib's cache belongs into our home, not into the user's.
    os.environ.setdefault("MPLCONFIGDIR", str(home.home() / "run" / "matplotlib"))
    import django

    django.setup()
    # Only now: it needs models.
    from config.local.replay.run import replay_season

    return replay_season(season)
