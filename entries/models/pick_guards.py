"""What the database refuses of a pick, whoever asks, and what it writes down of each change.

Five guards: the team plays in the round; it is used no more often than the rules allow; the pick was decided before
its lock; a suspended entry picks only where its pool lets it; whatever changed left a row. The deadline is looked at
last, after every row lock was waited for, by `clock_timestamp()`: an earlier look, `now()` or the application's clock
let late picks through when a lock was held across the deadline. Revealing takes the round's advisory lock alone, which
every pick shares, so that it waits for whoever was in time.
"""

import pgtrigger

from config.audit import ACTOR_SQL, REASON_SQL
from config.pages.changes import raised
from config.triggers import Guard, planned_anew
from pools.models.competition import REVEAL_LOCK

# Names who may write after the lock in this transaction: `import`, `fallback`, `favourite`, or `staff` under a ruling.
LATE_SETTING = "outlast.late_picks"

# Set while picks are taken back because their games will not be played: that is nobody's wish.
RELEASE_SETTING = "outlast.releasing"

# The id of the ruling that this transaction carries out; whether it has two names is looked at when it commits.
RULING_SETTING = "outlast.ruling"
RULING_SQL = f"nullif(current_setting('{RULING_SETTING}', true), '')::bigint"


def rules_of(pool: str, number: str, columns: str) -> str:
    """SQL: the rules that govern a round of a pool."""
    return (
        f"(SELECT {columns} FROM pools_rules WHERE pool_id = {pool} AND effective_round_number <= {number}"
        " ORDER BY version DESC LIMIT 1)"
    )


# Of pick `k` with game `g` under `rules`: it cost nothing and left the team unused.
VOID_SQL = """
    CASE WHEN g.status IN ('cancelled', 'postponed') OR g.round_id <> k.round_id
         THEN rules.cancelled_game IN ('void', 'repick')
         ELSE g.status = 'final' AND g.home_score = g.away_score AND rules.tie = 'void' END
"""


def pick_guards() -> list[Guard]:
    """All of them."""
    return [
        _fits_the_round(), _within_reuse_limit(), _before_the_lock(), _not_suspended(), *_records(), _never_truncated(),
    ]  # fmt: skip


def _fits_the_round() -> Guard:
    return Guard(
        name="fits_the_round",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update,
        func=f"""
            IF TG_OP = 'UPDATE' AND (NEW.entry_id, NEW.round_id, NEW.slot)
                                     IS DISTINCT FROM (OLD.entry_id, OLD.round_id, OLD.slot) THEN
                RAISE EXCEPTION 'a pick stays with its entry, round and slot'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'pick_identity';
            END IF;
            PERFORM pg_advisory_xact_lock_shared({REVEAL_LOCK}, NEW.round_id::int);
            PERFORM 1 FROM entries_entry e
                JOIN pools_pool p ON p.id = e.pool_id
                JOIN pools_round r ON r.id = NEW.round_id AND r.competition_id = p.competition_id
                    AND r.number BETWEEN p.first_round_number AND p.last_round_number
                JOIN pools_game g ON g.id = NEW.game_id AND NEW.team_id IN (g.home_id, g.away_id)
                    -- A ruling may bring back a pick whose game has left the round since.
                    AND (g.round_id = r.id OR {RULING_SQL} IS NOT NULL)
                WHERE e.id = NEW.entry_id;
            IF NOT FOUND THEN
                RAISE EXCEPTION 'team % has no such game in round % of the pool', NEW.team_id, NEW.round_id
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'pick_team_plays';
            END IF;
            RETURN NEW;
        """,
    )


def _within_reuse_limit() -> Guard:
    return Guard(
        name="within_reuse_limit",
        when=pgtrigger.After,
        operation=pgtrigger.Insert | pgtrigger.UpdateOf("team_id"),
        declare=[("used", "integer"), ("allowed", "integer"), ("again_from", "integer"), ("this", "integer")],
        # The entry's row is locked before the count: two picks of one team at once are counted one after the other.
        func=f"""
            PERFORM 1 FROM entries_entry WHERE id = NEW.entry_id FOR NO KEY UPDATE;
            SELECT r.number, rules.reuse_limit, rules.reuse_reset_round INTO this, allowed, again_from
                FROM entries_entry e
                JOIN pools_round r ON r.id = NEW.round_id
                CROSS JOIN LATERAL {rules_of("e.pool_id", "r.number", "reuse_limit, reuse_reset_round")} rules
                WHERE e.id = NEW.entry_id;
            SELECT count(*) INTO used
                FROM entries_pick k
                JOIN entries_entry e ON e.id = k.entry_id
                JOIN pools_round r ON r.id = k.round_id
                JOIN pools_game g ON g.id = k.game_id
                CROSS JOIN LATERAL {rules_of("e.pool_id", "r.number", "tie, cancelled_game")} rules
                WHERE k.entry_id = NEW.entry_id AND k.team_id = NEW.team_id AND k.id <> NEW.id
                  AND (again_from IS NULL OR (r.number >= again_from) = (this >= again_from))
                  AND NOT ({VOID_SQL});
            IF used >= allowed THEN
                RAISE EXCEPTION 'entry % has used team % already', NEW.entry_id, NEW.team_id
                    USING ERRCODE = 'unique_violation', CONSTRAINT = 'pick_team_within_limit';
            END IF;
            RETURN NULL;
        """,
    )


def _before_the_lock() -> Guard:
    return Guard(
        name="before_the_lock",
        when=pgtrigger.After,
        operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
        declare=[("this_round", "bigint"), ("late", "text"), ("policy", "text"), ("locks", "timestamptz")],
        func=f"""
            this_round := CASE WHEN TG_OP = 'DELETE' THEN OLD.round_id ELSE NEW.round_id END;
            late := coalesce(current_setting('{LATE_SETTING}', true), '');
            IF late = 'staff' AND EXISTS (
                SELECT 1 FROM entries_ruling WHERE id = {RULING_SQL}
                AND entry_id = CASE WHEN TG_OP = 'DELETE' THEN OLD.entry_id ELSE NEW.entry_id END) THEN
                RETURN NULL;
            END IF;
            IF TG_OP = 'INSERT' AND late = NEW.source AND late = 'import' THEN
                RETURN NULL;
            END IF;
            IF TG_OP = 'INSERT' AND late = NEW.source AND late IN ('fallback', 'favourite') THEN
                IF EXISTS (
                    SELECT 1 FROM pools_game g JOIN pools_round r ON r.id = NEW.round_id
                    WHERE g.id = NEW.game_id AND r.revealed_at IS NOT NULL AND g.locks_at >= r.locks_at
                      AND (g.locks_at > r.locks_at OR NOT EXISTS (
                          SELECT 1 FROM pools_game o WHERE o.round_id = r.id AND o.locks_at > r.locks_at))) THEN
                    RETURN NULL;
                END IF;
                RAISE EXCEPTION 'a missed pick is filled in after the lock, with a game that had not started'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'pick_fill_in';
            END IF;
            PERFORM pg_advisory_xact_lock_shared({REVEAL_LOCK}, this_round::int);
            SELECT r.locks_at, rules.lock INTO locks, policy
                FROM pools_round r
                LEFT JOIN entries_entry e ON e.id = CASE WHEN TG_OP = 'DELETE' THEN OLD.entry_id ELSE NEW.entry_id END
                LEFT JOIN LATERAL {rules_of("e.pool_id", "r.number", "lock")} rules ON true
                WHERE r.id = this_round;
            IF policy = 'game' THEN
                -- Where the pick came from and where it goes; a game that left the round is free while any is.
                SELECT min(at) INTO locks FROM (
                    SELECT CASE WHEN g.round_id = this_round THEN g.locks_at
                                ELSE (SELECT max(o.locks_at) FROM pools_game o WHERE o.round_id = this_round) END AS at
                    FROM pools_game g
                    WHERE TG_OP <> 'INSERT' AND g.id = OLD.game_id OR TG_OP <> 'DELETE' AND g.id = NEW.game_id
                ) touched;
            END IF;
            IF coalesce(locks <= clock_timestamp(), true) THEN
                RAISE EXCEPTION 'the pick has locked'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'pick_before_lock';
            END IF;
            RETURN NULL;
        """,
    )


def tells_late_picks() -> Guard:
    """Count a change of the competition's pages where picks are written after their lock: whatever is visible was.

    Picks of players are made before it and not visible until they are revealed, which is counted with the round; so
    saving one costs nothing here. A transaction that fills in a thousand counts once for each round.
    """
    return Guard(
        name="tells_late_picks",
        when=pgtrigger.After,
        operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
        condition=pgtrigger.Condition(f"coalesce(current_setting('{LATE_SETTING}', true), '') <> ''"),
        declare=[("this_round", "bigint"), ("due", "text[]")],
        func=f"""
            this_round := CASE WHEN TG_OP = 'DELETE' THEN OLD.round_id ELSE NEW.round_id END;
            IF current_setting('outlast.told_round', true) IS DISTINCT FROM this_round::text THEN
                PERFORM set_config('outlast.told_round', this_round::text, true);
                {raised("'competition:' || r.competition_id FROM pools_round r WHERE r.id = this_round")}
            END IF;
            RETURN NULL;
        """,
    )


def _not_suspended() -> Guard:
    return Guard(
        name="not_suspended",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
        declare=[("this_entry", "bigint")],
        # No lock on the entry: a pick that did not see the suspension came before it. A ruling, a pick filled in, one
        # imported and one taken back because its game is off are not the player's doing.
        func=f"""
            IF TG_OP = 'DELETE' THEN
                this_entry := OLD.entry_id;
            ELSIF NEW.source = 'player' THEN
                this_entry := NEW.entry_id;
            END IF;
            IF this_entry IS NOT NULL AND {RULING_SQL} IS NULL
               AND coalesce(current_setting('{RELEASE_SETTING}', true), '') = ''
               AND EXISTS (SELECT 1 FROM entries_entry e JOIN pools_pool p ON p.id = e.pool_id
                           WHERE e.id = this_entry AND e.is_suspended AND NOT p.suspended_may_pick) THEN
                RAISE EXCEPTION 'entry % is suspended', this_entry
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'pick_entry_suspended';
            END IF;
            IF TG_OP = 'DELETE' THEN
                RETURN OLD;
            END IF;
            RETURN NEW;
        """,
    )


def _records() -> list[Guard]:
    """History, and a mark for settlement where picks of a revealed round changed: once per statement.

    Settlement leaves itself no mark for what it fills in: it is about to look at that.
    """
    new, old = pgtrigger.Referencing(new="new_rows"), pgtrigger.Referencing(old="old_rows")
    both = pgtrigger.Referencing(old="old_rows", new="new_rows")
    differing = """
        new_rows n JOIN old_rows o USING (id)
        WHERE (o.team_id, o.game_id, o.source) IS DISTINCT FROM (n.team_id, n.game_id, n.source)
    """
    shapes = (
        ("insert", pgtrigger.Insert, new, "n", "NULL::bigint", "n.team_id", "new_rows n"),
        ("update", pgtrigger.Update, both, "n", "o.team_id", "n.team_id", differing),
        ("delete", pgtrigger.Delete, old, "o", "o.team_id", "NULL::bigint", "old_rows o"),
    )
    return [
        Guard(
            name=f"record_{verb}",
            level=pgtrigger.Statement,
            when=pgtrigger.After,
            operation=operation,
            referencing=referencing,
            func=planned_anew(
                f"""
                INSERT INTO entries_pickchange
                    (entry_id, round_id, slot, from_team_id, to_team_id, source, ruling_id, at, actor_id, reason)
                SELECT {row}.entry_id, {row}.round_id, {row}.slot, {before}, {after}, {row}.source, {RULING_SQL},
                       clock_timestamp(), {ACTOR_SQL}, {REASON_SQL} FROM {rows}
            """,
                rows=rows.split()[0],
            )
            + planned_anew(
                f"""
                INSERT INTO entries_settlementmark (pool_id, from_round_number)
                SELECT DISTINCT e.pool_id, r.number FROM {rows.split()[0]} t
                JOIN pools_round r ON r.id = t.round_id AND r.revealed_at IS NOT NULL
                JOIN entries_entry e ON e.id = t.entry_id
                WHERE coalesce(current_setting('{LATE_SETTING}', true), '') NOT IN ('fallback', 'favourite')
            """,
                rows=rows.split()[0],
            )
            + " RETURN NULL;",
        )
        for verb, operation, referencing, row, before, after, rows in shapes
    ]


def _never_truncated() -> Guard:
    return Guard(
        name="never_truncated",
        level=pgtrigger.Statement,
        when=pgtrigger.Before,
        operation=pgtrigger.Truncate,
        func="""
            RAISE EXCEPTION 'picks are never truncated'
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'never_truncated';
        """,
    )
