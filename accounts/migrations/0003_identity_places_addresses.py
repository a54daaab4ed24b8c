import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

import config.clock
import config.encryption
import config.errors
import config.triggers


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_encrypted_dates_of_birth"),
    ]

    operations = [
        migrations.CreateModel(
            name="AgeLimit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("country", models.CharField(help_text="ISO 3166-1 alpha-2, upper case.", max_length=2)),
                (
                    "region",
                    models.CharField(
                        blank=True, help_text="As in ISO 3166-2; empty: the whole country.", max_length=10
                    ),
                ),
                ("minimum_age", models.PositiveSmallIntegerField(default=18)),
                (
                    "is_barred",
                    models.BooleanField(default=False, help_text="Nobody who lives there may register or join."),
                ),
            ],
            options={
                "ordering": ["country", "region"],
            },
        ),
        migrations.CreateModel(
            name="AgeLimitChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(db_default=config.clock.ClockTimestamp())),
                (
                    "actor_id",
                    models.BigIntegerField(
                        blank=True, help_text="The user who did it; empty for the system.", null=True
                    ),
                ),
                ("reason", models.TextField(blank=True, db_default="", default="")),
                ("subject_id", models.BigIntegerField(db_index=True)),
                ("from_values", models.JSONField(db_default=models.Value("{}", models.JSONField()), default=dict)),
                ("to_values", models.JSONField(db_default=models.Value("{}", models.JSONField()), default=dict)),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="EmailChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("old_email", models.EmailField(max_length=254)),
                ("new_email", models.EmailField(max_length=254)),
                ("asked_at", models.DateTimeField(db_default=config.clock.ClockTimestamp())),
                ("confirmed_at", models.DateTimeField(blank=True, null=True)),
                ("undo_until", models.DateTimeField(blank=True, null=True)),
                (
                    "ended_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="Replaced by another wish, taken back, or the account was closed.",
                        null=True,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="PersonalDetails",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="personal_details",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("legal_name", config.encryption.EncryptedTextField(help_text="As on papers.")),
                (
                    "tax_country",
                    config.encryption.EncryptedTextField(
                        help_text="ISO 3166-1 alpha-2 of the country that taxes the person."
                    ),
                ),
                (
                    "tax_number",
                    config.encryption.EncryptedTextField(
                        blank=True, default="", help_text="As that country gives it; may be empty."
                    ),
                ),
                ("updated_at", models.DateTimeField(db_default=config.clock.ClockTimestamp())),
            ],
            options={
                "verbose_name_plural": "personal details",
                "permissions": [("view_personal_details", "Can see dates of birth, legal names and tax numbers")],
                "default_permissions": (),
            },
        ),
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
        migrations.AddConstraint(
            model_name="agelimit",
            constraint=models.UniqueConstraint(
                fields=("country", "region"),
                name="age_limit_once",
                violation_error_code=config.errors.Code["VERSION_CONFLICT"],
                violation_error_message="There is a row for this place already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="agelimit",
            constraint=models.CheckConstraint(
                condition=models.Q(("country__regex", "^[A-Z]{2}$")), name="age_limit_country_code"
            ),
        ),
        migrations.AddConstraint(
            model_name="agelimit",
            constraint=models.CheckConstraint(
                condition=models.Q(("region", ""), ("region__regex", "^[A-Z0-9]+(-[A-Z0-9]+)*$"), _connector="OR"),
                name="age_limit_region_code",
            ),
        ),
        migrations.AddConstraint(
            model_name="agelimit",
            constraint=models.CheckConstraint(
                condition=models.Q(("minimum_age__range", (1, 120))), name="age_limit_of_a_life"
            ),
        ),
        config.triggers.AddGuard(
            model_name="agelimit",
            trigger=pgtrigger.compiler.Trigger(
                name="record_age_limit",
                sql=config.triggers.GuardSql(
                    func="\n                    INSERT INTO accounts_agelimitchange (subject_id, from_values, to_values, at, actor_id, reason)\n                    VALUES (\n                        CASE TG_OP WHEN 'DELETE' THEN OLD.id ELSE NEW.id END,\n                        CASE TG_OP WHEN 'INSERT' THEN '{}' ELSE to_jsonb(OLD) END,\n                        CASE TG_OP WHEN 'DELETE' THEN '{}' ELSE to_jsonb(NEW) END,\n                        clock_timestamp(), nullif(current_setting('outlast.actor', true), '')::bigint, coalesce(current_setting('outlast.reason', true), '')\n                    );\n                    RETURN NULL;\n                ",
                    hash="a00a893b422760f07c2c2f6c64e9ad08cf9bf796",
                    operation="INSERT OR UPDATE OR DELETE",
                    pgid="pgtrigger_record_age_limit_8403d",
                    table="accounts_agelimit",
                    when="AFTER",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="agelimitchange",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=config.triggers.GuardSql(
                    func="\n            RAISE EXCEPTION '% of % is refused: its rows are kept as they are', TG_OP, TG_TABLE_NAME\n                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'append_only';\n        ",
                    hash="244f3e6416631156e8b98aec1c7ca56f967bf2e4",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_ba1cb",
                    table="accounts_agelimitchange",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="agelimitchange",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only_truncate",
                sql=config.triggers.GuardSql(
                    func="\n            RAISE EXCEPTION '% of % is refused: its rows are kept as they are', TG_OP, TG_TABLE_NAME\n                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'append_only_truncate';\n        ",
                    hash="d79a181c30817366a7a3de83aaa0836b6b228fab",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_append_only_truncate_1f7a8",
                    table="accounts_agelimitchange",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddField(
            model_name="emailchange",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="email_changes", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddIndex(
            model_name="emailchange",
            index=models.Index(
                condition=models.Q(("undo_until__isnull", False)), fields=["old_email"], name="email_change_reserves"
            ),
        ),
        migrations.AddConstraint(
            model_name="emailchange",
            constraint=models.UniqueConstraint(
                condition=models.Q(("confirmed_at", None), ("ended_at", None)),
                fields=("user",),
                name="email_change_one_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="emailchange",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("confirmed_at", None), ("undo_until", None)),
                    ("undo_until__gt", models.F("confirmed_at")),
                    _connector="OR",
                ),
                name="email_change_undone_for_a_while",
            ),
        ),
        config.triggers.AddGuard(
            model_name="emailchange",
            trigger=pgtrigger.compiler.Trigger(
                name="email_change_forward",
                sql=config.triggers.GuardSql(
                    condition="WHEN (OLD.ended_at IS NOT NULL AND NEW.ended_at IS DISTINCT FROM OLD.ended_at OR OLD.confirmed_at IS NOT NULL AND NEW.confirmed_at IS DISTINCT FROM OLD.confirmed_at OR OLD.undo_until IS NOT NULL AND NEW.undo_until IS DISTINCT FROM OLD.undo_until)",
                    func="\n                    RAISE EXCEPTION 'what became of a change of address stays'\n                        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'email_change_forward';\n                ",
                    hash="23b7260b206bc10d19c121cb58708a2bd4bd8388",
                    operation="UPDATE",
                    pgid="pgtrigger_email_change_forward_64eea",
                    table="accounts_emailchange",
                    when="BEFORE",
                ),
            ),
        ),
    ]
