"""A prize that is handed over may be larger than a fee ever is."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("payments", "0011_doubts_about_a_thing")]

    operations = [
        migrations.AlterField(model_name="manualrecord", name="amount_cents", field=models.PositiveBigIntegerField()),
    ]
