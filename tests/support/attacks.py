"""Raw SQL, as somebody with a password of the database would write it."""

from django.db import Error, connection, transaction


def attack(sql, *parameters):
    """Run it as one transaction; the constraint or guard that refused it, else its state; None where nobody did."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql, parameters or None)
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    except Error as error:
        cause = error.__cause__
        return cause.diag.constraint_name or cause.sqlstate
    return None
