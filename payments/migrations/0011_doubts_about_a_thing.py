"""What was decided about a thing before is looked up by its name, also among the closed, of which there are ever more."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("payments", "0010_accounting")]

    operations = [
        AddIndexConcurrently(
            model_name="discrepancy",
            index=models.Index(fields=["kind", "object_key"], name="discrepancy_of_thing"),
        ),
    ]
