from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("payments", "0008_winner_payouts")]

    operations = []
