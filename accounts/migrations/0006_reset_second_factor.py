from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_audit_feeds"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="user",
            options={
                "permissions": [
                    ("assign_role", "Can change what somebody may do here"),
                    ("block_user", "Can deactivate and reactivate an account"),
                    ("end_sessions", "Can end all sessions of an account"),
                    ("resend_verification", "Can send the verification mail again"),
                    ("reset_second_factor", "Can take away the second factor of somebody who lost it"),
                ]
            },
        ),
    ]
