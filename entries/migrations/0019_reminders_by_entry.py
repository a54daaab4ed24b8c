import django.db.models.deletion
import pgtrigger.compiler
from django.db import migrations, models

import config.clock
import config.triggers


class Migration(migrations.Migration):
    dependencies = [
        ("entries", "0018_reminders_by_hand"),
    ]

    operations = [
        migrations.CreateModel(
            name="ReminderOptOut",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "entry",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reminder_opt_outs",
                        to="entries.entry",
                    ),
                ),
                (
                    "channel",
                    models.CharField(choices=[("email", "E-mail")], db_default="email", default="email", max_length=10),
                ),
                ("at", models.DateTimeField(db_default=config.clock.ClockTimestamp())),
            ],
            options={
                "ordering": ["id"],
                "constraints": [
                    models.UniqueConstraint(fields=("entry", "channel"), name="reminder_opt_out_once"),
                    models.CheckConstraint(
                        condition=models.Q(("channel__in", ["email"])), name="reminder_opt_out_channel_known"
                    ),
                ],
            },
        ),
        config.triggers.AddGuard(
            model_name="reminder",
            trigger=pgtrigger.compiler.Trigger(
                name="leaves_out_unwanted",
                sql=config.triggers.GuardSql(
                    func="""
                    IF EXISTS (SELECT 1 FROM entries_reminderoptout o
                               WHERE o.entry_id = NEW.entry_id AND o.channel = NEW.channel) THEN
                        RETURN NULL;
                    END IF;
                    RETURN NEW;
                """,
                    hash="509646d925c85c8871429911369fa2036d342671",
                    operation="INSERT",
                    pgid="pgtrigger_leaves_out_unwanted_82148",
                    table="entries_reminder",
                    when="BEFORE",
                ),
            ),
        ),
    ]
