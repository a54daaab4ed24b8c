"""Who is excluded gets no request and no entry, whoever writes the rows.

The services hold the player's row while they look (`accounts.services.exclusions`); these guards only look. They catch
who did not ask: a script, an import, a service that forgot.
"""

import pgtrigger

from config.triggers import Guard, planned_anew


def not_for_excluded(noun: str) -> Guard:
    """Refuses new rows with a `user_id` who is excluded at this moment; the constraint is `<noun>_of_excluded`."""
    look = planned_anew(
        """SELECT EXISTS (SELECT 1 FROM new_rows n JOIN accounts_exclusion x ON x.user_id = n.user_id
                          WHERE x.until IS NULL OR x.until > clock_timestamp())""",
        into="is_excluded",
    )
    return Guard(
        name="not_for_excluded",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        referencing=pgtrigger.Referencing(new="new_rows"),
        declare=[("is_excluded", "boolean")],
        func=f"""
            {look}
            IF is_excluded THEN
                RAISE EXCEPTION 'who is excluded gets no {noun}'
                    USING ERRCODE = 'check_violation', CONSTRAINT = '{noun}_of_excluded';
            END IF;
            RETURN NULL;
        """,
    )
