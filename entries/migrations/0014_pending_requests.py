"""The queue of whoever decides about requests is read over all pools, oldest first."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("entries", "0013_bulk_decisions")]

    operations = [
        AddIndexConcurrently(
            model_name="request",
            index=models.Index(fields=["id"], condition=models.Q(status="pending"), name="request_pending"),
        ),
    ]
