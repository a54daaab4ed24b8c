from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # On a big table, beside whoever signs in meanwhile.
    atomic = False

    dependencies = [
        ("accounts", "0018_letters"),
    ]

    operations = [
        AddIndexConcurrently(
            "user", models.Index(condition=models.Q(("is_superuser", True)), fields=["id"], name="user_superusers")
        ),
    ]
