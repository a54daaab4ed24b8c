"""What the database itself sees to in the audit: entries are stamped, links are computed, days are closed once."""

import pgtrigger

from config.audit.chain import CHAIN_LOCK, GENESIS, line_sql
from config.audit.changes import ACTOR_SQL
from config.audit.origin import ORIGIN_SETTING
from config.triggers import Guard


def stamped() -> Guard:
    """When, from where and by whom, as far as whoever writes the entry has not said; and it waits for its link.

    The time is the database's, whatever was given. A kind that was given is left alone, and nobody is named then.
    """
    return Guard(
        name="stamped",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert,
        declare=[("origin", "jsonb")],
        func=f"""
            origin := coalesce(nullif(current_setting('{ORIGIN_SETTING}', true), ''), '{{}}')::jsonb;
            NEW.at := clock_timestamp();
            NEW.address := coalesce(NEW.address, nullif(origin ->> 'address', '')::inet);
            NEW.request_id := coalesce(nullif(NEW.request_id, ''), origin ->> 'request', '');
            NEW.api_key := coalesce(nullif(NEW.api_key, ''), origin ->> 'key', '');
            IF NEW.actor_kind = '' THEN
                NEW.actor_id := coalesce(NEW.actor_id, {ACTOR_SQL});
                NEW.actor_kind := CASE
                    WHEN NEW.actor_id IS NULL THEN coalesce(origin ->> 'kind', 'system')
                    WHEN NEW.api_key <> '' THEN 'api_key' ELSE 'user' END;
            END IF;
            INSERT INTO config_auditpending (entry_id) VALUES (NEW.id);
            RETURN NEW;
        """,
    )


def linked() -> list[Guard]:
    """A link's place and hash are computed, whatever was given; those who add links take turns.

    Its day is that of the entry, unless the chain has left that day behind: what a transaction over midnight wrote
    belongs to the day on which it is linked.
    """
    line = line_sql("entry", before="NEW.previous_hash", day="NEW.day", number="NEW.number")
    return [
        Guard(
            name="one_at_a_time",
            level=pgtrigger.Statement,
            when=pgtrigger.Before,
            operation=pgtrigger.Insert,
            func=f"PERFORM pg_advisory_xact_lock({CHAIN_LOCK}); RETURN NULL;",
        ),
        Guard(
            name="linked",
            when=pgtrigger.Before,
            operation=pgtrigger.Insert,
            declare=[("entry", "config_auditentry"), ("tail", "config_auditlink"), ("closed", "date")],
            func=f"""
                SELECT * INTO STRICT entry FROM config_auditentry WHERE id = NEW.entry_id;
                SELECT * INTO tail FROM config_auditlink ORDER BY day DESC, number DESC LIMIT 1;
                SELECT max(day) INTO closed FROM config_auditday;
                NEW.day := greatest((entry.at AT TIME ZONE 'UTC')::date, tail.day, closed + 1);
                NEW.number := CASE WHEN NEW.day = tail.day THEN tail.number + 1 ELSE 1 END;
                NEW.previous_hash := coalesce(tail.hash, '{GENESIS}');
                NEW.hash := encode(sha256(convert_to({line}, 'UTF8')), 'hex');
                RETURN NEW;
            """,
        ),
    ]


def closed() -> Guard:
    """A day is closed over what is linked on it, once it is past, and not any more once a later one is closed."""
    return Guard(
        name="closed",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert,
        declare=[("tail", "config_auditlink")],
        func=f"""
            PERFORM pg_advisory_xact_lock({CHAIN_LOCK});
            SELECT * INTO tail FROM config_auditlink WHERE day = NEW.day ORDER BY number DESC LIMIT 1;
            IF tail IS NULL OR NEW.day >= (clock_timestamp() AT TIME ZONE 'UTC')::date
               OR EXISTS (SELECT 1 FROM config_auditday WHERE day > NEW.day) THEN
                RAISE EXCEPTION 'day % of the audit cannot be closed', NEW.day
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'audit_day_is_over';
            END IF;
            NEW.entries := tail.number;
            NEW.head := tail.hash;
            NEW.closed_at := clock_timestamp();
            RETURN NEW;
        """,
    )
