"""People are found by a part of their name or address, by an index of three letters in a row.

`pg_trgm` comes with PostgreSQL, and whoever owns the database may switch it on.
"""

from typing import ClassVar

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.operations import AddIndexConcurrently, TrigramExtension
from django.db import migrations
from django.db.models.functions import Upper


class Migration(migrations.Migration):
    atomic = False
    dependencies: ClassVar = [("accounts", "0015_pages_planned_anew")]
    operations: ClassVar = [
        TrigramExtension(),
        AddIndexConcurrently("user", GinIndex(OpClass(Upper("email"), name="gin_trgm_ops"), name="user_email_letters")),
        AddIndexConcurrently(
            "user", GinIndex(OpClass(Upper("display_name"), name="gin_trgm_ops"), name="user_name_letters")
        ),
    ]
