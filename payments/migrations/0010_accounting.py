from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("payments", "0009_exports")]

    operations = []
