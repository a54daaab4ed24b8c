import django.db.models.deletion
import pgtrigger.compiler
from django.conf import settings
from django.db import migrations, models

import config.clock
import config.encryption
import config.triggers


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0011_api_keys"),
    ]

    operations = [
        migrations.CreateModel(
            name="Login",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("provider", models.CharField(help_text="As the settings call it.", max_length=30)),
                ("issuer", models.CharField(max_length=200)),
                (
                    "subject",
                    models.CharField(
                        help_text="The issuer's own name for the person, which never changes.", max_length=255
                    ),
                ),
                ("created_at", models.DateTimeField(db_default=config.clock.ClockTimestamp())),
                ("last_used_at", models.DateTimeField(db_default=config.clock.ClockTimestamp())),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="logins", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SignInAttempt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("provider", models.CharField(max_length=30)),
                ("return_to", models.CharField(max_length=500)),
                (
                    "challenge",
                    models.CharField(help_text="The client's: SHA-256 of what it shows with the code.", max_length=43),
                ),
                ("state_digest", models.CharField(max_length=64, unique=True)),
                ("browser_digest", models.CharField(max_length=64)),
                ("code_digest", models.CharField(blank=True, max_length=64, null=True, unique=True)),
                ("kept", config.encryption.EncryptedTextField()),
                ("created_at", models.DateTimeField(db_default=config.clock.ClockTimestamp())),
                ("expires_at", models.DateTimeField()),
                ("returned_at", models.DateTimeField(blank=True, null=True)),
                ("spent_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "indexes": [models.Index(fields=["expires_at"], name="sign_in_attempt_age")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("browser_digest__regex", "^[0-9a-f]{64}$"),
                            ("state_digest__regex", "^[0-9a-f]{64}$"),
                            models.Q(("code_digest", None), ("code_digest__regex", "^[0-9a-f]{64}$"), _connector="OR"),
                        ),
                        name="sign_in_attempt_hashed",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("code_digest", None), ("returned_at__isnull", False), _connector="OR"),
                        name="sign_in_attempt_code_after_return",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("spent_at", None), ("code_digest__isnull", False), _connector="OR"),
                        name="sign_in_attempt_spent_by_code",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("expires_at__gt", models.F("created_at"))), name="sign_in_attempt_ends"
                    ),
                ],
            },
        ),
        config.triggers.AddGuard(
            model_name="signinattempt",
            trigger=pgtrigger.compiler.Trigger(
                name="sign_in_attempt_forward",
                sql=config.triggers.GuardSql(
                    condition="WHEN (OLD.returned_at IS NOT NULL AND NEW.returned_at IS DISTINCT FROM OLD.returned_at OR OLD.code_digest IS NOT NULL AND NEW.code_digest IS DISTINCT FROM OLD.code_digest OR OLD.spent_at IS NOT NULL AND NEW.spent_at IS DISTINCT FROM OLD.spent_at)",
                    func="\n                    RAISE EXCEPTION 'a sign-in goes each step once'\n                        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'sign_in_attempt_forward';\n                ",
                    hash="7e55b45f98eb8c152a0b9bd745fa2e3e3348b1a9",
                    operation="UPDATE",
                    pgid="pgtrigger_sign_in_attempt_forward_b3d35",
                    table="accounts_signinattempt",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="login",
            constraint=models.UniqueConstraint(fields=("issuer", "subject"), name="login_of_one_person"),
        ),
        migrations.AddConstraint(
            model_name="login",
            constraint=models.UniqueConstraint(fields=("user", "issuer"), name="login_one_of_each_issuer"),
        ),
        migrations.AddConstraint(
            model_name="login",
            constraint=models.CheckConstraint(
                condition=models.Q(models.Q(("subject", ""), _negated=True), models.Q(("issuer", ""), _negated=True)),
                name="login_names_somebody",
            ),
        ),
        config.triggers.AddGuard(
            model_name="login",
            trigger=pgtrigger.compiler.Trigger(
                name="login_stays_whose_it_is",
                sql=config.triggers.GuardSql(
                    condition="WHEN (ROW(OLD.user_id, OLD.issuer, OLD.subject) IS DISTINCT FROM ROW(NEW.user_id, NEW.issuer, NEW.subject))",
                    func="\n                    RAISE EXCEPTION 'a way in is taken away, never handed on'\n                        USING ERRCODE = 'check_violation', CONSTRAINT = 'login_stays_whose_it_is';\n                ",
                    hash="729b71c8f56c3db8ecb654cb2d34066090fbbdba",
                    operation="UPDATE",
                    pgid="pgtrigger_login_stays_whose_it_is_79012",
                    table="accounts_login",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="login",
            trigger=pgtrigger.compiler.Trigger(
                name="feed_audit_linked",
                sql=config.triggers.GuardSql(
                    func="\n            INSERT INTO config_auditentry (action, subject_type, subject_id, person_id, actor_id, reason, data)\n            VALUES ('login.' || 'linked', 'login', coalesce((NEW.id)::text, ''), NEW.user_id, NEW.user_id, coalesce(current_setting('outlast.reason', true), ''),\n                jsonb_build_object('provider', NEW.provider));\n            RETURN NULL;\n        ",
                    hash="2c28a62de632bf7a7afe8addd064cd90e0e35aad",
                    operation="INSERT",
                    pgid="pgtrigger_feed_audit_linked_a6e49",
                    table="accounts_login",
                    when="AFTER",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="login",
            trigger=pgtrigger.compiler.Trigger(
                name="feed_audit_unlinked",
                sql=config.triggers.GuardSql(
                    func="\n            INSERT INTO config_auditentry (action, subject_type, subject_id, person_id, actor_id, reason, data)\n            VALUES ('login.' || 'unlinked', 'login', coalesce((OLD.id)::text, ''), OLD.user_id, NULL::bigint, coalesce(current_setting('outlast.reason', true), ''),\n                jsonb_build_object('provider', OLD.provider));\n            RETURN NULL;\n        ",
                    hash="d34379b6554dead43b40da0f72940427a00e7030",
                    operation="DELETE",
                    pgid="pgtrigger_feed_audit_unlinked_da238",
                    table="accounts_login",
                    when="AFTER",
                ),
            ),
        ),
    ]
