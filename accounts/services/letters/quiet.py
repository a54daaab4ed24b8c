"""When a letter may be sent: not in its reader's quiet hours, if it can wait, or be earlier. As SQL, for many at once.

Quiet hours are wall-clock times, so that both changes of the clock are PostgreSQL's business.
"""

from accounts.models.letters import QUIET_FROM, QUIET_UNTIL

# The reader's wishes, as `wish`: joins what `u.id` wants, or what holds for who never said. `{zone}`: where nobody did.
WISHES_SQL = f"""
    LEFT JOIN accounts_messagepreferences said ON said.user_id = u.id
    CROSS JOIN LATERAL (
        SELECT coalesce(nullif(said.time_zone, ''), {{zone}}) AS zone,
               coalesce(nullif(said.language, ''), 'en') AS language,
               said.reminder_hours, coalesce(said.announcements, true) AS announcements,
               CASE WHEN said.user_id IS NULL THEN time '{QUIET_FROM}' ELSE said.quiet_from END AS quiet_from,
               CASE WHEN said.user_id IS NULL THEN time '{QUIET_UNTIL}' ELSE said.quiet_until END AS quiet_until
    ) wish
"""

# The quiet hours that the instant `{at}` lies in, as `night`: when they begin and end; empty columns where in none.
NIGHT_SQL = """
    CROSS JOIN LATERAL (SELECT {at} AT TIME ZONE wish.zone AS local) wall
    CROSS JOIN LATERAL (
        SELECT CASE WHEN wall.local::time >= wish.quiet_from THEN wall.local::date ELSE wall.local::date - 1 END
                   + wish.quiet_from AS began,
               make_interval(secs => mod(extract(epoch FROM wish.quiet_until - wish.quiet_from) + 86400, 86400))
                   AS lasts
    ) quiet
    LEFT JOIN LATERAL (
        SELECT quiet.began AT TIME ZONE wish.zone AS began, (quiet.began + quiet.lasts) AT TIME ZONE wish.zone AS ended
        WHERE wall.local < quiet.began + quiet.lasts
    ) night ON true
"""
