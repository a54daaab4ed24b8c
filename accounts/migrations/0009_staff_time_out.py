from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_documents"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="session",
            name="session_ends_for_a_reason",
        ),
        migrations.AlterField(
            model_name="session",
            name="revoked_because",
            field=models.CharField(
                blank=True,
                choices=[
                    ("signed_out", "Signed Out"),
                    ("reused", "A spent token was used again"),
                    ("password", "The password was changed"),
                    ("email", "The address was changed"),
                    ("deactivated", "Deactivated"),
                    ("closed", "The account was closed"),
                    ("timed_out", "Staff came back too late"),
                    ("second_factor", "The second factor was changed"),
                    ("staff", "Ended by staff"),
                ],
                max_length=20,
            ),
        ),
        migrations.AddConstraint(
            model_name="session",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("revoked_at", None), ("revoked_because", "")),
                    models.Q(
                        ("revoked_at__isnull", False),
                        (
                            "revoked_because__in",
                            [
                                "signed_out",
                                "reused",
                                "password",
                                "email",
                                "deactivated",
                                "closed",
                                "timed_out",
                                "second_factor",
                                "staff",
                            ],
                        ),
                    ),
                    _connector="OR",
                ),
                name="session_ends_for_a_reason",
            ),
        ),
    ]
