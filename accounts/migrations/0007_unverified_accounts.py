from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0006_reset_second_factor")]

    operations = [
        migrations.AddIndex(
            model_name="user",
            index=models.Index(
                condition=models.Q(("email_verified_at", None)), fields=["created_at"], name="user_unverified"
            ),
        ),
    ]
