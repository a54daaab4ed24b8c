"""The outbox out of order."""

from contextlib import contextmanager

from django.db import connection


@contextmanager
def no_outbox():
    """The last thing that is written cannot be written."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE config_outboxmessage RENAME TO config_outboxmessage_away")
        try:
            yield
        finally:
            cursor.execute("ALTER TABLE config_outboxmessage_away RENAME TO config_outboxmessage")
