import django.db.models.deletion
import pgtrigger.compiler
from django.conf import settings
from django.db import migrations, models

import config.clock
import config.encryption
import config.triggers


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_identity_places_addresses"),
    ]

    operations = [
        migrations.AddField(
            model_name="session",
            name="authenticated_at",
            field=models.DateTimeField(
                db_default=config.clock.ClockTimestamp(),
                help_text="When the person last proved who they are: at sign-in, or since.",
            ),
        ),
        migrations.AddField(
            model_name="session",
            name="has_second_factor",
            field=models.BooleanField(default=False, help_text="Whether a one-time code was part of the proof."),
        ),
        # The default would make everybody who is signed in look as if they had just proved who they are.
        migrations.RunSQL("UPDATE accounts_session SET authenticated_at = created_at", migrations.RunSQL.noop),
        migrations.CreateModel(
            name="Totp",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("secret", config.encryption.EncryptedTextField(help_text="Base32, as the device has it.")),
                ("created_at", models.DateTimeField(db_default=config.clock.ClockTimestamp())),
                ("confirmed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "last_step",
                    models.BigIntegerField(
                        blank=True,
                        help_text="The half minute of the last code that was accepted: none up to it counts.",
                        null=True,
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="totps", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="RecoveryCode",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", models.CharField(max_length=64)),
                ("created_at", models.DateTimeField(db_default=config.clock.ClockTimestamp())),
                ("used_at", models.DateTimeField(blank=True, null=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="recovery_codes",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("user", "digest"), name="recovery_code_once"),
                    models.CheckConstraint(
                        condition=models.Q(("digest__regex", "^[0-9a-f]{64}$")), name="recovery_code_hashed"
                    ),
                ],
            },
        ),
        config.triggers.AddGuard(
            model_name="recoverycode",
            trigger=pgtrigger.compiler.Trigger(
                name="recovery_code_counts_once",
                sql=config.triggers.GuardSql(
                    condition="WHEN (OLD.used_at IS NOT NULL)",
                    func="\n                    RAISE EXCEPTION 'a recovery code counts once'\n                        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'recovery_code_counts_once';\n                ",
                    hash="7695593f4224b1a0a9d65fc708b69811c3499b65",
                    operation="UPDATE",
                    pgid="pgtrigger_recovery_code_counts_once_48095",
                    table="accounts_recoverycode",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="totp",
            constraint=models.UniqueConstraint(
                condition=models.Q(("confirmed_at", None)), fields=("user",), name="totp_one_pending"
            ),
        ),
        migrations.AddConstraint(
            model_name="totp",
            constraint=models.UniqueConstraint(
                condition=models.Q(("confirmed_at__isnull", False)), fields=("user",), name="totp_one_confirmed"
            ),
        ),
        migrations.AddConstraint(
            model_name="totp",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("confirmed_at", None), ("last_step", None)),
                    models.Q(("confirmed_at__isnull", False), ("last_step__isnull", False)),
                    _connector="OR",
                ),
                name="totp_confirmed_by_a_code",
            ),
        ),
        config.triggers.AddGuard(
            model_name="totp",
            trigger=pgtrigger.compiler.Trigger(
                name="totp_code_counts_once",
                sql=config.triggers.GuardSql(
                    condition="WHEN (OLD.last_step IS NOT NULL AND NEW.last_step <= OLD.last_step)",
                    func="\n                    RAISE EXCEPTION 'a one-time code counts once'\n                        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'totp_code_counts_once';\n                ",
                    hash="b195b2c7650c560da250ad74795ab93a64a01bc7",
                    operation='UPDATE OF "last_step"',
                    pgid="pgtrigger_totp_code_counts_once_1913d",
                    table="accounts_totp",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="totp",
            trigger=pgtrigger.compiler.Trigger(
                name="record_second_factor_on",
                sql=config.triggers.GuardSql(
                    condition="WHEN (OLD.confirmed_at IS NULL AND NEW.confirmed_at IS NOT NULL)",
                    func="\n    INSERT INTO accounts_userchange (subject_id, field, from_value, to_value, at, actor_id, reason)\n    VALUES (NEW.user_id, 'second_factor', 'off', 'on', clock_timestamp(), nullif(current_setting('outlast.actor', true), '')::bigint, coalesce(current_setting('outlast.reason', true), ''));\n    RETURN NULL;\n",
                    hash="82a1bbd6779a578c87b1418b2ad37a2ad5727c8c",
                    operation='UPDATE OF "confirmed_at"',
                    pgid="pgtrigger_record_second_factor_on_cb6fd",
                    table="accounts_totp",
                    when="AFTER",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="totp",
            trigger=pgtrigger.compiler.Trigger(
                name="record_second_factor_off",
                sql=config.triggers.GuardSql(
                    condition="WHEN (OLD.confirmed_at IS NOT NULL)",
                    func="\n    INSERT INTO accounts_userchange (subject_id, field, from_value, to_value, at, actor_id, reason)\n    VALUES (OLD.user_id, 'second_factor', 'on', 'off', clock_timestamp(), nullif(current_setting('outlast.actor', true), '')::bigint, coalesce(current_setting('outlast.reason', true), ''));\n    RETURN NULL;\n",
                    hash="da9cf9d0e8f80290bded06af26d53c27c3538a41",
                    operation="DELETE",
                    pgid="pgtrigger_record_second_factor_off_e29c2",
                    table="accounts_totp",
                    when="AFTER",
                ),
            ),
        ),
    ]
