"""Whether several accounts are used from one address is asked for each request that staff decide about."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("accounts", "0016_people_by_letters")]

    operations = [
        AddIndexConcurrently(
            model_name="session",
            index=models.Index(fields=["address"], name="session_address"),
        ),
    ]
