"""What a pick has come to, told by its game: a fact that is joined, never copied into the pick.

Settlement grades the same facts into losses; here they get the words that people read.
"""

from django.db.models import TextChoices


class PickResult(TextChoices):
    """Values of `result`. A tie is told as such, whatever the rules make of it; a round without a pick was missed."""

    PENDING = "pending"
    WON = "won"
    LOST = "lost"
    TIED = "tied"
    VOID = "void"
    MISSED = "missed"


# The rules that govern round `r` of pool `p`, as `rules`.
RULES_SQL = """
    LEFT JOIN LATERAL (
        SELECT cancelled_game FROM pools_rules
        WHERE pool_id = p.id AND effective_round_number <= r.number ORDER BY version DESC LIMIT 1
    ) rules ON true
"""

# Of pick `k` with game `g` under `rules`. A game that was cancelled, postponed or moved out of the round has no result
# of its own: it is what the pool's rules make of it.
RESULT_SQL = """
    CASE
        WHEN k.id IS NULL THEN 'missed'
        WHEN g.status IN ('cancelled', 'postponed') OR g.round_id <> k.round_id
            THEN CASE rules.cancelled_game WHEN 'loss' THEN 'lost' WHEN 'win' THEN 'won' ELSE 'void' END
        WHEN g.status <> 'final' THEN 'pending'
        WHEN g.home_score = g.away_score THEN 'tied'
        WHEN k.team_id = CASE WHEN g.home_score > g.away_score THEN g.home_id ELSE g.away_id END THEN 'won'
        ELSE 'lost'
    END
"""

# Whether round `r` was still to be played for entry `e` of pool `p`: what was picked ahead for rounds after its
# elimination, or after the pool's end, is cancelled.
IN_PLAY_SQL = """
    (r.number BETWEEN p.first_round_number
        AND least(p.last_round_number, p.ended_round_number, e.eliminated_round_number))
"""
