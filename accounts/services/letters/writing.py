"""Writing letters: many at once, with the change that causes them, without one of them passing through Python."""


def write_sql(rows: str) -> str:
    """SQL that writes a letter for each row of a SELECT, and returns `id` and `user_id` of those that are new.

    `rows` has the columns user_id, kind, subject_id, key, language, due_at, expires_at. A key that was used already
    writes nothing. Stands alone, or in a WITH.
    """
    return f"""
        INSERT INTO accounts_letter (user_id, kind, subject_id, key, language, due_at, expires_at)
        SELECT posted.user_id, posted.kind, posted.subject_id, posted.key, posted.language, posted.due_at,
               posted.expires_at
        FROM ({rows}) AS posted (user_id, kind, subject_id, key, language, due_at, expires_at)
        ON CONFLICT (key) DO NOTHING RETURNING id, user_id
    """
