"""What queries over tallies have in common."""

# Tallies count an entry, and its picks, in every round from its first to the one it fell in. Those that a reprieve lets
# sit a round out did not play it: few, unlike the entries, so they are taken off when a tally is read.
SITTING_OUT = """
    SELECT DISTINCT e.id AS entry_id, r.id AS round_id
    FROM entries_reprieve v
    JOIN entries_entry e ON e.id = v.entry_id AND e.pool_id = %(pool)s AND e.status <> 'void'
    JOIN pools_round r ON r.id = ANY(%(rounds)s)
        AND r.number > v.from_round_number AND r.number < v.before_round_number
        AND r.number BETWEEN e.first_round_number AND coalesce(e.eliminated_round_number, 32000)
    WHERE v.revoked_at IS NULL
"""

# Picks of the rounds' players as rows of tallies.
PICKED = f"""
    SELECT round_id, game_id, team_id, slot, picks FROM entries_picktally
    WHERE pool_id = %(pool)s AND round_id = ANY(%(rounds)s)
    UNION ALL
    SELECT o.round_id, k.game_id, k.team_id, k.slot, -1 FROM ({SITTING_OUT}) o
    JOIN entries_pick k ON k.entry_id = o.entry_id AND k.round_id = o.round_id
"""
