"""The triggers that tell what happens to rounds, games and pools, whoever makes it happen.

They write into `PoolEvent`, one row for each pool that plays the round; a draft has no listeners, and after its end
nothing that happens to later rounds is anything to a pool. What settlement makes of entries it tells by itself.
"""

import pgtrigger

from config.triggers import Guard

INSTANT = "to_char({at} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"

# The pools that play the round `number` of the competition.
CONCERNED = """
    FROM pools_pool p
    WHERE p.competition_id = NEW.competition_id AND p.status IN ('open', 'running', 'finished')
      AND {number} BETWEEN p.first_round_number AND coalesce(p.ended_round_number, p.last_round_number)
"""

LOCKED = f"""
    INSERT INTO pools_poolevent (pool_id, kind, data, key)
    SELECT p.id, 'round.locked',
           jsonb_build_object('round', NEW.number, 'locks_at', {INSTANT.format(at="NEW.locks_at")}), 'locked-' || NEW.id
    {CONCERNED.format(number="NEW.number")}
    ORDER BY p.id ON CONFLICT (pool_id, key) DO NOTHING
"""


def tells_reveal() -> Guard:
    """A round that is revealed has locked: both are told, the lock only where nobody has noticed it before."""
    return Guard(
        name="tells_reveal",
        when=pgtrigger.After,
        operation=pgtrigger.UpdateOf("revealed_at"),
        condition=pgtrigger.Condition("OLD.revealed_at IS NULL AND NEW.revealed_at IS NOT NULL"),
        func=f"""
            {LOCKED};
            INSERT INTO pools_poolevent (pool_id, kind, data)
            SELECT p.id, 'round.revealed', jsonb_build_object('round', NEW.number)
            {CONCERNED.format(number="NEW.number")} ORDER BY p.id;
            RETURN NULL;
        """,
    )


GAME = """
    jsonb_build_object('round', r.number, 'game', NEW.id,
        'home', (SELECT code FROM pools_team WHERE id = NEW.home_id),
        'away', (SELECT code FROM pools_team WHERE id = NEW.away_id),
        'status', NEW.status, 'home_score', NEW.home_score, 'away_score', NEW.away_score)
"""


def tells_result() -> Guard:
    """A result, another one than before, or that there will be none."""
    return Guard(
        name="tells_result",
        when=pgtrigger.After,
        operation=pgtrigger.UpdateOf("status", "home_score", "away_score"),
        condition=pgtrigger.Condition(
            "ROW(OLD.status, OLD.home_score, OLD.away_score)"
            " IS DISTINCT FROM ROW(NEW.status, NEW.home_score, NEW.away_score)"
        ),
        declare=[("told", "text"), ("facts", "jsonb"), ("playing", "int")],
        func=f"""
            told := CASE
                WHEN OLD.status = 'final' THEN 'game.corrected'
                WHEN NEW.status = 'final' THEN 'game.final'
                WHEN NEW.status IN ('cancelled', 'postponed') THEN 'game.called_off'
                WHEN OLD.status IN ('cancelled', 'postponed') THEN 'game.back_on' END;
            IF told IS NOT NULL THEN
                SELECT r.number, {GAME} INTO playing, facts FROM pools_round r WHERE r.id = NEW.round_id;
                INSERT INTO pools_poolevent (pool_id, kind, data)
                SELECT p.id, told, facts {CONCERNED.format(number="playing")} ORDER BY p.id;
            END IF;
            RETURN NULL;
        """,
    )


def tells_game_lock() -> Guard:
    """That a game has locked and shows its picks, to the pools in which each game locks for itself."""
    return Guard(
        name="tells_game_lock",
        when=pgtrigger.After,
        operation=pgtrigger.UpdateOf("revealed_at"),
        condition=pgtrigger.Condition("OLD.revealed_at IS NULL AND NEW.revealed_at IS NOT NULL"),
        declare=[("facts", "jsonb"), ("playing", "int")],
        func=f"""
            SELECT r.number, {GAME} INTO playing, facts FROM pools_round r WHERE r.id = NEW.round_id;
            INSERT INTO pools_poolevent (pool_id, kind, data)
            SELECT p.id, 'game.locked', facts {CONCERNED.format(number="playing")}
              AND 'game' = (SELECT lock FROM pools_rules WHERE pool_id = p.id AND effective_round_number <= playing
                            ORDER BY version DESC LIMIT 1)
            ORDER BY p.id;
            RETURN NULL;
        """,
    )


def tells_status() -> Guard:
    """That the pool began, ended, ended in another round, opened again or was cancelled."""
    return Guard(
        name="tells_status",
        when=pgtrigger.After,
        operation=pgtrigger.UpdateOf("status", "ended_round_number"),
        condition=pgtrigger.Condition(
            "OLD.status <> 'draft'"
            " AND ROW(OLD.status, OLD.ended_round_number) IS DISTINCT FROM ROW(NEW.status, NEW.ended_round_number)"
        ),
        declare=[("told", "text")],
        func="""
            told := CASE NEW.status
                WHEN 'finished' THEN 'pool.ended'
                WHEN 'cancelled' THEN 'pool.cancelled'
                WHEN 'running' THEN CASE OLD.status WHEN 'open' THEN 'pool.started' ELSE 'pool.reopened' END END;
            IF told IS NOT NULL THEN
                INSERT INTO pools_poolevent (pool_id, kind, data)
                VALUES (NEW.id, told, jsonb_build_object('status', NEW.status, 'round', NEW.ended_round_number));
            END IF;
            RETURN NULL;
        """,
    )
