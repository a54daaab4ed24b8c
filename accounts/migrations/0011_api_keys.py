import django.contrib.postgres.fields
import django.db.models.deletion
import pgtrigger.compiler
from django.conf import settings
from django.db import migrations, models

import config.clock
import config.triggers


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0010_limits_and_exclusions"),
    ]

    operations = [
        migrations.CreateModel(
            name="ApiKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(help_text="What it is for, in its owner's words.", max_length=60)),
                ("prefix", models.CharField(help_text="The part that is no secret.", max_length=12, unique=True)),
                (
                    "digest",
                    models.CharField(
                        help_text="SHA-256 of the whole key: 256 random bits need no slow hash.", max_length=64
                    ),
                ),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), size=None),
                ),
                (
                    "token_version",
                    models.PositiveIntegerField(help_text="The person's when it was made; it ends with that."),
                ),
                (
                    "has_second_factor",
                    models.BooleanField(default=False, help_text="Whether it was made past a second factor."),
                ),
                ("created_at", models.DateTimeField(db_default=config.clock.ClockTimestamp())),
                ("expires_at", models.DateTimeField()),
                ("last_used_at", models.DateTimeField(blank=True, help_text="To the minute.", null=True)),
                ("last_used_address", models.GenericIPAddressField(blank=True, null=True)),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                (
                    "replaces",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="replacement",
                        to="accounts.apikey",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="api_keys",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["user", "-id"], name="api_key_user"),
                    models.Index(fields=["expires_at"], name="api_key_age"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("digest__regex", "^[0-9a-f]{64}$")), name="api_key_hashed"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("prefix__regex", "^[a-z2-7]{12}$")), name="api_key_prefix_form"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("scopes", []), _negated=True), name="api_key_has_scopes"
                    ),
                ],
            },
        ),
        config.triggers.AddGuard(
            model_name="apikey",
            trigger=pgtrigger.compiler.Trigger(
                name="api_key_ends_within_a_year",
                sql=config.triggers.GuardSql(
                    func="\n                    NEW.created_at := clock_timestamp();\n                    IF NEW.expires_at > NEW.created_at + interval '366 days' THEN\n                        RAISE EXCEPTION 'a key of the API ends within a year'\n                            USING ERRCODE = 'check_violation', CONSTRAINT = 'api_key_ends_within_a_year';\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="38a03b9ec67de60b9a3845c4f9332a1b76700e48",
                    operation="INSERT",
                    pgid="pgtrigger_api_key_ends_within_a_year_eafb3",
                    table="accounts_apikey",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="apikey",
            trigger=pgtrigger.compiler.Trigger(
                name="api_key_only_narrows",
                sql=config.triggers.GuardSql(
                    func="\n    IF ROW(OLD.id, OLD.user_id, OLD.prefix, OLD.digest, OLD.created_at, OLD.token_version, OLD.has_second_factor)\n       IS DISTINCT FROM\n       ROW(NEW.id, NEW.user_id, NEW.prefix, NEW.digest, NEW.created_at, NEW.token_version, NEW.has_second_factor)\n       OR NOT NEW.scopes <@ OLD.scopes OR NEW.expires_at > OLD.expires_at\n       OR OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS DISTINCT FROM OLD.revoked_at THEN\n        RAISE EXCEPTION 'key % of the API never becomes more than it was', OLD.prefix\n            USING ERRCODE = 'check_violation', CONSTRAINT = 'api_key_only_narrows';\n    END IF;\n    RETURN NEW;\n",
                    hash="5217f429f7d37b3d7e7f196e735e6b6211b3bed9",
                    operation="UPDATE",
                    pgid="pgtrigger_api_key_only_narrows_36382",
                    table="accounts_apikey",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="apikey",
            trigger=pgtrigger.compiler.Trigger(
                name="feed_audit_made",
                sql=config.triggers.GuardSql(
                    func="\n            INSERT INTO config_auditentry (action, subject_type, subject_id, person_id, actor_id, reason, data)\n            VALUES ('api_key.' || CASE WHEN NEW.replaces_id IS NULL THEN 'made' ELSE 'rotated' END, 'api_key', coalesce((NEW.id)::text, ''), NEW.user_id, NEW.user_id, coalesce(current_setting('outlast.reason', true), ''),\n                jsonb_build_object('key', NEW.prefix, 'scopes', to_jsonb(NEW.scopes), 'expires_at', NEW.expires_at));\n            RETURN NULL;\n        ",
                    hash="b5891918ec563f22fe81544b9329bf55168e8a05",
                    operation="INSERT",
                    pgid="pgtrigger_feed_audit_made_f0aad",
                    table="accounts_apikey",
                    when="AFTER",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="apikey",
            trigger=pgtrigger.compiler.Trigger(
                name="feed_audit_revoked",
                sql=config.triggers.GuardSql(
                    condition="WHEN (OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL)",
                    func="\n            INSERT INTO config_auditentry (action, subject_type, subject_id, person_id, actor_id, reason, data)\n            VALUES ('api_key.' || 'revoked', 'api_key', coalesce((NEW.id)::text, ''), NEW.user_id, NULL::bigint, coalesce(current_setting('outlast.reason', true), ''),\n                jsonb_build_object('key', NEW.prefix));\n            RETURN NULL;\n        ",
                    hash="0cd57091ecd07368d492ea3bb1df77c3b85afcaa",
                    operation='UPDATE OF "revoked_at"',
                    pgid="pgtrigger_feed_audit_revoked_3601b",
                    table="accounts_apikey",
                    when="AFTER",
                ),
            ),
        ),
    ]
