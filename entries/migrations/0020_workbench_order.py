from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

UNDECIDED = models.Q(("status", "pending"), ("waitlisted_at__isnull", True))
OWING = models.Q(("payment_status__in", ("pending", "failed")), ("status", "approved"))


class Migration(migrations.Migration):
    # On a big table, beside whoever asks for a place meanwhile.
    atomic = False

    dependencies = [
        ("entries", "0019_reminders_by_entry"),
    ]

    operations = [
        AddIndexConcurrently("request", models.Index(condition=UNDECIDED, fields=["id"], name="request_undecided")),
        AddIndexConcurrently(
            "request", models.Index(condition=UNDECIDED, fields=["pool", "id"], name="request_undecided_of_pool")
        ),
        AddIndexConcurrently("request", models.Index(condition=OWING, fields=["id"], name="request_owing")),
    ]
