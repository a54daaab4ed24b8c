"""Dates of birth become unreadable to whoever has the database alone."""

from django.db import migrations

import config.encryption

SET = 2000


def encrypt(apps, schema_editor):
    """Write each date anew, encrypted, set by set."""
    _copy(apps.get_model("accounts", "User"), "plain_date_of_birth", "date_of_birth")


def decrypt(apps, schema_editor):
    """The way back, while the keys are there."""
    _copy(apps.get_model("accounts", "User"), "date_of_birth", "plain_date_of_birth")


def _copy(user_model, source, target):
    last = 0
    known = user_model.objects.filter(**{f"{source}__isnull": False}).only("pk", source).order_by("pk")
    while rows := list(known.filter(pk__gt=last)[:SET]):
        for row in rows:
            setattr(row, target, getattr(row, source))
        user_model.objects.bulk_update(rows, [target], batch_size=500)
        last = rows[-1].pk


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [
        migrations.RenameField("user", "date_of_birth", "plain_date_of_birth"),
        migrations.AddField("user", "date_of_birth", config.encryption.EncryptedDateField(blank=True, null=True)),
        migrations.RunPython(encrypt, decrypt),
        migrations.RemoveField("user", "plain_date_of_birth"),
    ]
