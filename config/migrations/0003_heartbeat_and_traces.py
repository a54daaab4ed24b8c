"""When the scheduler was last followed, and which trace goes on with an outbox message."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("config", "0002_audit")]

    operations = [
        migrations.CreateModel(
            name="Heartbeat",
            fields=[
                ("name", models.CharField(max_length=50, primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name="outboxmessage",
            name="traceparent",
            # The database's default: servers that do not know the column yet go on posting.
            field=models.CharField(blank=True, db_default="", help_text="The trace that goes on.", max_length=55),
        ),
    ]
