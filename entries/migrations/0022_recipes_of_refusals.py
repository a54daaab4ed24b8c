"""What the refusals of bulk decisions were made of: those of before stay as they were written."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("entries", "0021_unpaid_in_order")]

    operations = [
        migrations.AddField(
            model_name="bulkitem",
            name="recipe",
            field=models.JSONField(blank=True, null=True),
        ),
    ]
