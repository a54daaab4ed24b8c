"""A statement is added up from one index alone, and the entries of a day are found without reading the journal."""

from typing import ClassVar

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models
from django.db.models import F


class Migration(migrations.Migration):
    atomic = False
    dependencies: ClassVar = [("payments", "0020_schedules_by_week_and_zone")]
    operations: ClassVar = [
        AddIndexConcurrently(
            "posting",
            models.Index(F("account"), F("id"), include=["amount", "journal_entry"], name="posting_of_account"),
        ),
        RemoveIndexConcurrently("posting", "posting_account"),
        AddIndexConcurrently("journalentry", models.Index(fields=["finance_date", "id"], name="journal_finance_date")),
    ]
