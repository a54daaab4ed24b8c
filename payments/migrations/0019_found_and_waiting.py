"""Staff find all that a provider told about one thing, and what waits for them, however much there is besides."""

from typing import ClassVar

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    atomic = False
    dependencies: ClassVar = [("payments", "0018_one_truth_of_stripes_units")]
    operations: ClassVar = [
        AddIndexConcurrently(
            "webhookevent",
            models.Index(fields=["object_id"], condition=~Q(object_id=""), name="webhook_by_object"),
        ),
        AddIndexConcurrently(
            "receipt",
            models.Index(fields=["received_at"], condition=Q(status="unapplied"), name="receipt_unapplied"),
        ),
        AddIndexConcurrently(
            "refund",
            models.Index(fields=["created_at"], condition=Q(status="requested"), name="refund_requested"),
        ),
    ]
