from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models

OWING = models.Q(("payment_status__in", ("pending", "failed")), ("status", "approved"))


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("entries", "0020_workbench_order"),
    ]

    operations = [
        AddIndexConcurrently(
            "request", models.Index(condition=OWING, fields=["pay_by", "id"], name="request_unpaid_until")
        ),
        RemoveIndexConcurrently("request", "request_unpaid"),
    ]
