"""What the home page tells of games and rules that wait for somebody."""

from django.utils.translation import gettext_lazy as _

from config.home import Queue, among, queue
from pools.models import AmendmentStatus
from pools.queries.game_desk import LONGEST_GAME, TO_COME

queue(
    Queue(
        "games", _("Games that wait for a ruling"), "pools_game", "review <> ''",
        since="kickoff_at", query="?review=open", icon="sports",
    ),
    Queue(
        "results", _("Games without a result"), "pools_game",
        f"{among('status', *TO_COME)}"
        f" AND kickoff_at < clock_timestamp() - interval '{LONGEST_GAME.total_seconds():.0f} seconds'",
        since="kickoff_at", query="?review=no_result", icon="scoreboard",
    ),
    Queue(
        "amendments", _("Changed rules for a second name"), "pools_amendment",
        among("status", AmendmentStatus.PROPOSED), since="proposed_at", query="?status__exact=proposed", icon="rule",
    ),
)  # fmt: skip
