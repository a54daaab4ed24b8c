from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("accounts", "0019_superusers"),
    ]

    operations = [
        AddIndexConcurrently(
            "userchange",
            models.Index(
                condition=models.Q(("actor_id__isnull", False)), fields=["actor_id"], name="user_change_actor"
            ),
        ),
        AddIndexConcurrently("unreachableaddress", models.Index(fields=["-at", "-user"], name="unreachable_newest")),
    ]
