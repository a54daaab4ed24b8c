import django.db.models.deletion
import django.db.models.expressions
import pgtrigger.compiler
from django.conf import settings
from django.db import migrations, models

import config.clock
import config.triggers


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0005_reconciliation"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="BankFile",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=200)),
                ("format", models.CharField(choices=[("csv", "CSV"), ("camt053", "CAMT.053")], max_length=10)),
                ("sha256", models.CharField(max_length=64, unique=True)),
                ("size", models.PositiveIntegerField()),
                ("content", models.BinaryField()),
                ("imported_at", models.DateTimeField(db_default=config.clock.ClockTimestamp())),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="BankLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reference", models.CharField(max_length=100)),
                ("booked_on", models.DateField()),
                ("value_on", models.DateField(blank=True, null=True)),
                ("amount_cents", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("text", models.CharField(blank=True, default="", max_length=500)),
                ("counterparty", models.CharField(blank=True, default="", max_length=200)),
                (
                    "trace_id",
                    models.CharField(blank=True, default="", help_text="What the sender called it.", max_length=140),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[("waiting", "Waiting"), ("matched", "Matched")], default="waiting", max_length=10
                    ),
                ),
            ],
            options={
                "ordering": ["-booked_on", "-id"],
            },
        ),
        migrations.CreateModel(
            name="BankLineChange",
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
                ("from_status", models.CharField(blank=True, db_default="", default="", max_length=20)),
                ("to_status", models.CharField(max_length=20)),
                ("details", models.JSONField(db_default=models.Value("{}", models.JSONField()), default=dict)),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="BankMatch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("payout", "Payout"),
                            ("by_hand", "Money by hand"),
                            ("bank_fee", "Bank fee"),
                            ("not_ours", "Not ours"),
                        ],
                        max_length=10,
                    ),
                ),
                ("amount_cents", models.BigIntegerField()),
                (
                    "found_by",
                    models.CharField(
                        choices=[
                            ("trace", "Trace id"),
                            ("reference", "Reference"),
                            ("amount", "Amount and day"),
                            ("person", "Person"),
                        ],
                        max_length=10,
                    ),
                ),
                ("reason", models.CharField(blank=True, default="", max_length=500)),
                ("made_at", models.DateTimeField(db_default=config.clock.ClockTimestamp())),
                ("undone_at", models.DateTimeField(blank=True, null=True)),
                ("undone_because", models.CharField(blank=True, default="", max_length=500)),
            ],
            options={
                "verbose_name_plural": "bank matches",
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="BankStatement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "reference",
                    models.CharField(help_text="The bank's own name for it, or made of its days.", max_length=100),
                ),
                ("first_on", models.DateField()),
                ("last_on", models.DateField()),
                ("opening_cents", models.BigIntegerField()),
                ("closing_cents", models.BigIntegerField()),
                ("is_stated", models.BooleanField()),
                ("line_count", models.PositiveIntegerField()),
                ("lines_cents", models.BigIntegerField(help_text="What all lines come to.")),
                ("created_at", models.DateTimeField(db_default=config.clock.ClockTimestamp())),
            ],
            options={
                "ordering": ["-last_on", "-id"],
                "permissions": [
                    ("import_statement", "Can import a bank statement"),
                    ("match_bank_line", "Can say what a line of a bank statement is"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ProviderPayout",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("provider", models.CharField(max_length=20)),
                ("reference", models.CharField(help_text="The provider's own name for it.", max_length=255)),
                ("livemode", models.BooleanField()),
                ("amount_cents", models.BigIntegerField(help_text="What the bank gets; below nothing, what it gives.")),
                ("currency", models.CharField(max_length=3)),
                (
                    "status",
                    models.CharField(
                        choices=[("under_way", "Under way"), ("paid", "Paid"), ("failed", "Failed")], max_length=10
                    ),
                ),
                ("arrives_on", models.DateField(help_text="When the provider expects it at the bank.")),
                (
                    "trace_id",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="What the bank's statement should show, where it is known.",
                        max_length=140,
                    ),
                ),
                ("failure", models.CharField(blank=True, default="", max_length=200)),
                (
                    "is_automatic",
                    models.BooleanField(
                        db_default=True,
                        default=True,
                        help_text="Of one made by hand nobody can say which movements it took along.",
                    ),
                ),
                (
                    "is_itemised",
                    models.BooleanField(
                        db_default=False,
                        default=False,
                        help_text="The provider has worked out which movements it took along.",
                    ),
                ),
                ("listed_count", models.PositiveIntegerField(blank=True, null=True)),
                ("listed_cents", models.BigIntegerField(blank=True, null=True)),
                ("items_read_at", models.DateTimeField(blank=True, null=True)),
                ("made_at", models.DateTimeField(blank=True, help_text="The provider's instant.", null=True)),
                (
                    "checked_at",
                    models.DateTimeField(blank=True, help_text="When the provider was last asked about it.", null=True),
                ),
                ("created_at", models.DateTimeField(db_default=config.clock.ClockTimestamp())),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="ProviderPayoutChange",
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
                ("from_status", models.CharField(blank=True, db_default="", default="", max_length=20)),
                ("to_status", models.CharField(max_length=20)),
                ("details", models.JSONField(db_default=models.Value("{}", models.JSONField()), default=dict)),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="ProviderPayoutItem",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("created_at", models.DateTimeField(db_default=config.clock.ClockTimestamp())),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="BankAccount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100, unique=True)),
                (
                    "number",
                    models.CharField(
                        help_text="IBAN, or the bank's own number, without spaces.", max_length=34, unique=True
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("livemode", models.BooleanField(default=False, help_text="Whether real money lies there.")),
                ("layout", models.JSONField(blank=True, default=dict, help_text="How its bank's CSV files are read.")),
                ("is_active", models.BooleanField(default=True, help_text="Statements are expected of it.")),
                ("created_at", models.DateTimeField(db_default=config.clock.ClockTimestamp())),
            ],
            options={
                "ordering": ["name"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("currency__regex", "^[a-z]{3}$")), name="bank_account_currency"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("number__regex", "^[0-9A-Za-z-]{4,34}$")), name="bank_account_number"
                    ),
                ],
            },
        ),
        config.triggers.AddGuard(
            model_name="bankaccount",
            trigger=pgtrigger.compiler.Trigger(
                name="bank_account_stays",
                sql=config.triggers.GuardSql(
                    func="\n                    IF (NEW.number, NEW.currency, NEW.livemode)\n                       IS DISTINCT FROM (OLD.number, OLD.currency, OLD.livemode)\n                       AND EXISTS (SELECT 1 FROM payments_bankstatement WHERE account_id = OLD.id) THEN\n                        RAISE EXCEPTION 'an account with statements keeps its number, currency and mode'\n                            USING ERRCODE = 'check_violation', CONSTRAINT = 'bank_account_stays';\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="bdfa1ea3772a353d81861aaa586e44cc2932d1ef",
                    operation="UPDATE",
                    pgid="pgtrigger_bank_account_stays_d14a1",
                    table="payments_bankaccount",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="bankaccount",
            trigger=pgtrigger.compiler.Trigger(
                name="never_deleted",
                sql=config.triggers.GuardSql(
                    func="\n            RAISE EXCEPTION '% of % is refused: its rows are kept as they are', TG_OP, TG_TABLE_NAME\n                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'never_deleted';\n        ",
                    hash="39365909209a92e9327778be2338dc761d474415",
                    operation="DELETE",
                    pgid="pgtrigger_never_deleted_97f36",
                    table="payments_bankaccount",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="bankaccount",
            trigger=pgtrigger.compiler.Trigger(
                name="never_truncated",
                sql=config.triggers.GuardSql(
                    func="\n            RAISE EXCEPTION '% of % is refused: its rows are kept as they are', TG_OP, TG_TABLE_NAME\n                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'never_truncated';\n        ",
                    hash="44c70946f8217cfc51504a7020f0e5eeea7352d7",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_never_truncated_0437c",
                    table="payments_bankaccount",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddField(
            model_name="bankfile",
            name="imported_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="bankline",
            name="account",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="lines",
                to="payments.bankaccount",
            ),
        ),
        config.triggers.AddGuard(
            model_name="banklinechange",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=config.triggers.GuardSql(
                    func="\n            RAISE EXCEPTION '% of % is refused: its rows are kept as they are', TG_OP, TG_TABLE_NAME\n                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'append_only';\n        ",
                    hash="4c2113b000bc66ef7f890d6ec7afe621aeb4b230",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_c7fae",
                    table="payments_banklinechange",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="banklinechange",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only_truncate",
                sql=config.triggers.GuardSql(
                    func="\n            RAISE EXCEPTION '% of % is refused: its rows are kept as they are', TG_OP, TG_TABLE_NAME\n                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'append_only_truncate';\n        ",
                    hash="1271fd5e2eaf3602c782dc513df3ab89f38f2873",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_append_only_truncate_bdefc",
                    table="payments_banklinechange",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddField(
            model_name="bankmatch",
            name="line",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="matches", to="payments.bankline"
            ),
        ),
        migrations.AddField(
            model_name="bankmatch",
            name="made_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="bankmatch",
            name="record",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="bank_matches",
                to="payments.manualrecord",
            ),
        ),
        migrations.AddField(
            model_name="bankmatch",
            name="undone_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="bankstatement",
            name="account",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="statements", to="payments.bankaccount"
            ),
        ),
        migrations.AddField(
            model_name="bankstatement",
            name="file",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="statements", to="payments.bankfile"
            ),
        ),
        migrations.AddField(
            model_name="bankline",
            name="statement",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="lines", to="payments.bankstatement"
            ),
        ),
        migrations.AddIndex(
            model_name="providerpayout",
            index=models.Index(fields=["currency", "amount_cents", "arrives_on"], name="provider_payout_sought"),
        ),
        migrations.AddIndex(
            model_name="providerpayout",
            index=models.Index(
                condition=models.Q(("is_automatic", True), ("items_read_at", None)),
                fields=["made_at"],
                name="provider_payout_unread",
            ),
        ),
        migrations.AddConstraint(
            model_name="providerpayout",
            constraint=models.UniqueConstraint(fields=("provider", "reference"), name="provider_payout_unique"),
        ),
        migrations.AddConstraint(
            model_name="providerpayout",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["under_way", "paid", "failed"])), name="provider_payout_status"
            ),
        ),
        migrations.AddConstraint(
            model_name="providerpayout",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_cents", 0), _negated=True), name="provider_payout_amount"
            ),
        ),
        migrations.AddField(
            model_name="bankmatch",
            name="payout",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="bank_matches",
                to="payments.providerpayout",
            ),
        ),
        config.triggers.AddGuard(
            model_name="providerpayout",
            trigger=pgtrigger.compiler.Trigger(
                name="status_map",
                sql=config.triggers.GuardSql(
                    condition="WHEN (OLD.status IS DISTINCT FROM NEW.status)",
                    func="\n            IF NOT (OLD.status || '>' || NEW.status = ANY(ARRAY['under_way>paid', 'under_way>failed', 'paid>failed']::text[])) THEN\n                RAISE EXCEPTION '% cannot go from % to %', TG_TABLE_NAME, OLD.status, NEW.status\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'status_map';\n            END IF;\n            RETURN NEW;\n        ",
                    hash="8d29f9682a8e67d31d6c74c582feefeaedf9748b",
                    operation='UPDATE OF "status"',
                    pgid="pgtrigger_status_map_7f143",
                    table="payments_providerpayout",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="providerpayout",
            trigger=pgtrigger.compiler.Trigger(
                name="provider_payout_stays",
                sql=config.triggers.GuardSql(
                    func="\n                    IF (NEW.provider, NEW.reference, NEW.livemode, NEW.amount_cents, NEW.currency)\n                       IS DISTINCT FROM (OLD.provider, OLD.reference, OLD.livemode, OLD.amount_cents, OLD.currency) THEN\n                        RAISE EXCEPTION 'what a payout is, and how much, never changes'\n                            USING ERRCODE = 'check_violation', CONSTRAINT = 'provider_payout_stays';\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="0edd52d6926df7f9e2f69a9d820009d0fcda32be",
                    operation="UPDATE",
                    pgid="pgtrigger_provider_payout_stays_ce7f3",
                    table="payments_providerpayout",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="providerpayout",
            trigger=pgtrigger.compiler.Trigger(
                name="record_insert",
                sql=config.triggers.GuardSql(
                    func="INSERT INTO payments_providerpayoutchange (subject_id, from_status, to_status, details, at, actor_id, reason) SELECT n.id, '', n.status, jsonb_build_object('trace_id', n.trace_id, 'arrives_on', n.arrives_on, 'failure', n.failure), clock_timestamp(), nullif(current_setting('outlast.actor', true), '')::bigint, coalesce(current_setting('outlast.reason', true), '') FROM new_rows n ; RETURN NULL;",
                    hash="6b34ace8c37984ac302d886e3c07dbd2e0af22a9",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_record_insert_fb53e",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="payments_providerpayout",
                    when="AFTER",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="providerpayout",
            trigger=pgtrigger.compiler.Trigger(
                name="record_update",
                sql=config.triggers.GuardSql(
                    func="\n        IF (SELECT count(*) FROM (SELECT 1 FROM new_rows LIMIT 2) few) < 2 THEN\n            INSERT INTO payments_providerpayoutchange (subject_id, from_status, to_status, details, at, actor_id, reason) SELECT n.id, o.status, n.status, jsonb_build_object('trace_id', n.trace_id, 'arrives_on', n.arrives_on, 'failure', n.failure), clock_timestamp(), nullif(current_setting('outlast.actor', true), '')::bigint, coalesce(current_setting('outlast.reason', true), '') FROM new_rows n JOIN old_rows o USING (id) WHERE o.status IS DISTINCT FROM n.status OR o.trace_id IS DISTINCT FROM n.trace_id OR o.arrives_on IS DISTINCT FROM n.arrives_on OR o.failure IS DISTINCT FROM n.failure;\n        ELSE\n            EXECUTE $statement$INSERT INTO payments_providerpayoutchange (subject_id, from_status, to_status, details, at, actor_id, reason) SELECT n.id, o.status, n.status, jsonb_build_object('trace_id', n.trace_id, 'arrives_on', n.arrives_on, 'failure', n.failure), clock_timestamp(), nullif(current_setting('outlast.actor', true), '')::bigint, coalesce(current_setting('outlast.reason', true), '') FROM new_rows n JOIN old_rows o USING (id) WHERE o.status IS DISTINCT FROM n.status OR o.trace_id IS DISTINCT FROM n.trace_id OR o.arrives_on IS DISTINCT FROM n.arrives_on OR o.failure IS DISTINCT FROM n.failure$statement$;\n        END IF;\n     RETURN NULL;",
                    hash="27b7c6248743c6d427a95a32431789e7bd40ff04",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_record_update_c5060",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="payments_providerpayout",
                    when="AFTER",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="providerpayout",
            trigger=pgtrigger.compiler.Trigger(
                name="never_deleted",
                sql=config.triggers.GuardSql(
                    func="\n            RAISE EXCEPTION '% of % is refused: its rows are kept as they are', TG_OP, TG_TABLE_NAME\n                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'never_deleted';\n        ",
                    hash="d9389db8be884484cb64c56b9e0a38f0e7a8caea",
                    operation="DELETE",
                    pgid="pgtrigger_never_deleted_3487b",
                    table="payments_providerpayout",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="providerpayout",
            trigger=pgtrigger.compiler.Trigger(
                name="never_truncated",
                sql=config.triggers.GuardSql(
                    func="\n            RAISE EXCEPTION '% of % is refused: its rows are kept as they are', TG_OP, TG_TABLE_NAME\n                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'never_truncated';\n        ",
                    hash="31805b3fb8e90a67c231005be7797357d35f0f16",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_never_truncated_eec52",
                    table="payments_providerpayout",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="providerpayoutchange",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=config.triggers.GuardSql(
                    func="\n            RAISE EXCEPTION '% of % is refused: its rows are kept as they are', TG_OP, TG_TABLE_NAME\n                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'append_only';\n        ",
                    hash="3a6855e18723a39bfaa0a742d4c0434ff9da8735",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_a6164",
                    table="payments_providerpayoutchange",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="providerpayoutchange",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only_truncate",
                sql=config.triggers.GuardSql(
                    func="\n            RAISE EXCEPTION '% of % is refused: its rows are kept as they are', TG_OP, TG_TABLE_NAME\n                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'append_only_truncate';\n        ",
                    hash="bd8cb3e631f002b8eba99fc1019029b350a02af2",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_append_only_truncate_da8c6",
                    table="payments_providerpayoutchange",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddField(
            model_name="providerpayoutitem",
            name="movement",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT, related_name="payout_item", to="payments.movement"
            ),
        ),
        migrations.AddField(
            model_name="providerpayoutitem",
            name="payout",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="items", to="payments.providerpayout"
            ),
        ),
        migrations.AddConstraint(
            model_name="bankfile",
            constraint=models.CheckConstraint(
                condition=models.Q(("size__gt", 0), ("size__lte", 10485760)), name="bank_file_size"
            ),
        ),
        migrations.AddConstraint(
            model_name="bankfile",
            constraint=models.CheckConstraint(
                condition=models.Q(("format__in", ["csv", "camt053"])), name="bank_file_format"
            ),
        ),
        config.triggers.AddGuard(
            model_name="bankfile",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=config.triggers.GuardSql(
                    func="\n            RAISE EXCEPTION '% of % is refused: its rows are kept as they are', TG_OP, TG_TABLE_NAME\n                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'append_only';\n        ",
                    hash="e5e0ae591ff7ae81029c92505d2bf796183fb815",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_09315",
                    table="payments_bankfile",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="bankfile",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only_truncate",
                sql=config.triggers.GuardSql(
                    func="\n            RAISE EXCEPTION '% of % is refused: its rows are kept as they are', TG_OP, TG_TABLE_NAME\n                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'append_only_truncate';\n        ",
                    hash="9eec36705ef051ef902fecc3ed292d7a98bf07a9",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_append_only_truncate_21ee9",
                    table="payments_bankfile",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="bankstatement",
            constraint=models.UniqueConstraint(fields=("account", "reference"), name="bank_statement_unique"),
        ),
        migrations.AddConstraint(
            model_name="bankstatement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "closing_cents",
                        django.db.models.expressions.CombinedExpression(
                            models.F("opening_cents"), "+", models.F("lines_cents")
                        ),
                    )
                ),
                name="bank_statement_adds_up",
            ),
        ),
        migrations.AddConstraint(
            model_name="bankstatement",
            constraint=models.CheckConstraint(
                condition=models.Q(("first_on__lte", models.F("last_on"))), name="bank_statement_days"
            ),
        ),
        config.triggers.AddGuard(
            model_name="bankstatement",
            trigger=pgtrigger.compiler.Trigger(
                name="bank_statement_whole",
                sql=config.triggers.GuardSql(
                    constraint="CONSTRAINT",
                    declare="DECLARE has record;",
                    func="\n                    SELECT count(*) AS lines, coalesce(sum(amount_cents), 0) AS cents INTO has\n                        FROM payments_bankline WHERE statement_id = NEW.id;\n                    IF (has.lines, has.cents) IS DISTINCT FROM (NEW.line_count::bigint, NEW.lines_cents::numeric) THEN\n                        RAISE EXCEPTION 'statement % has % lines of %', NEW.id, has.lines, has.cents\n                            USING ERRCODE = 'check_violation', CONSTRAINT = 'bank_statement_whole';\n                    END IF;\n                    RETURN NULL;\n                ",
                    hash="8bcbbdbbfa98faff6845df84127ceec62a57cee1",
                    operation="INSERT",
                    pgid="pgtrigger_bank_statement_whole_31b10",
                    table="payments_bankstatement",
                    timing="DEFERRABLE INITIALLY DEFERRED",
                    when="AFTER",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="bankstatement",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=config.triggers.GuardSql(
                    func="\n            RAISE EXCEPTION '% of % is refused: its rows are kept as they are', TG_OP, TG_TABLE_NAME\n                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'append_only';\n        ",
                    hash="d5ce6214d7c752b199379524885bbff7e416859b",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_8da04",
                    table="payments_bankstatement",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="bankstatement",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only_truncate",
                sql=config.triggers.GuardSql(
                    func="\n            RAISE EXCEPTION '% of % is refused: its rows are kept as they are', TG_OP, TG_TABLE_NAME\n                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'append_only_truncate';\n        ",
                    hash="0da25fe99693a872192f63dc49ec9ff6dfa818a6",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_append_only_truncate_6afc9",
                    table="payments_bankstatement",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddIndex(
            model_name="bankline",
            index=models.Index(
                condition=models.Q(("status", "waiting")), fields=["account", "booked_on"], name="bank_line_waiting"
            ),
        ),
        migrations.AddIndex(
            model_name="bankline",
            index=models.Index(
                condition=models.Q(("status", "waiting")),
                fields=["currency", "amount_cents", "booked_on"],
                name="bank_line_sought",
            ),
        ),
        migrations.AddConstraint(
            model_name="bankline",
            constraint=models.UniqueConstraint(fields=("account", "reference"), name="bank_line_unique"),
        ),
        migrations.AddConstraint(
            model_name="bankline",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["waiting", "matched"])), name="bank_line_status"
            ),
        ),
        migrations.AddConstraint(
            model_name="bankline",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_cents", 0), _negated=True), name="bank_line_amount"
            ),
        ),
        config.triggers.AddGuard(
            model_name="bankline",
            trigger=pgtrigger.compiler.Trigger(
                name="status_map",
                sql=config.triggers.GuardSql(
                    condition="WHEN (OLD.status IS DISTINCT FROM NEW.status)",
                    func="\n            IF NOT (OLD.status || '>' || NEW.status = ANY(ARRAY['waiting>matched', 'matched>waiting']::text[])) THEN\n                RAISE EXCEPTION '% cannot go from % to %', TG_TABLE_NAME, OLD.status, NEW.status\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'status_map';\n            END IF;\n            RETURN NEW;\n        ",
                    hash="0ce289cf9a87b737258237528ebd7684885e0a0e",
                    operation='UPDATE OF "status"',
                    pgid="pgtrigger_status_map_d06a6",
                    table="payments_bankline",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="bankline",
            trigger=pgtrigger.compiler.Trigger(
                name="bank_line_stays",
                sql=config.triggers.GuardSql(
                    condition="WHEN ((to_jsonb(OLD) - 'status') IS DISTINCT FROM (to_jsonb(NEW) - 'status'))",
                    func="\n                    RAISE EXCEPTION 'what a bank said is kept as it said it'\n                        USING ERRCODE = 'check_violation', CONSTRAINT = 'bank_line_stays';\n                ",
                    hash="8b46373ca2007ab80e9c3970024b09db3de6a509",
                    operation="UPDATE",
                    pgid="pgtrigger_bank_line_stays_99449",
                    table="payments_bankline",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="bankline",
            trigger=pgtrigger.compiler.Trigger(
                name="bank_line_matched_whole",
                sql=config.triggers.GuardSql(
                    declare="DECLARE found numeric;",
                    func="\n                    SELECT coalesce(sum(amount_cents), 0) INTO found\n                        FROM payments_bankmatch WHERE line_id = NEW.id AND undone_at IS NULL;\n                    IF (NEW.status = 'matched' AND found <> NEW.amount_cents)\n                       OR (NEW.status <> 'matched' AND found <> 0) THEN\n                        RAISE EXCEPTION 'line % of % is matched with %', NEW.id, NEW.amount_cents, found\n                            USING ERRCODE = 'check_violation', CONSTRAINT = 'bank_line_matched_whole';\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="e14c3339319b7acc0f08649ba7a1ffae12359c62",
                    operation='UPDATE OF "status"',
                    pgid="pgtrigger_bank_line_matched_whole_2ad7a",
                    table="payments_bankline",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="bankline",
            trigger=pgtrigger.compiler.Trigger(
                name="bank_lines_whole",
                sql=config.triggers.GuardSql(
                    func="\n                    IF EXISTS (\n                        SELECT 1 FROM (\n                            SELECT statement_id, count(*) AS lines, sum(amount_cents) AS cents,\n                                   min(account_id) AS first, max(account_id) AS last, min(currency) AS currency,\n                                   bool_and(status = 'waiting') AS is_new\n                            FROM new_rows GROUP BY statement_id\n                        ) n\n                        JOIN payments_bankstatement s ON s.id = n.statement_id\n                        JOIN payments_bankaccount a ON a.id = s.account_id\n                        WHERE (n.lines, n.cents, n.first, n.last, n.currency, n.is_new)\n                            IS DISTINCT FROM\n                            (s.line_count::bigint, s.lines_cents::numeric, a.id, a.id, a.currency, true)\n                    ) THEN\n                        RAISE EXCEPTION 'lines are written with their statement, all of them'\n                            USING ERRCODE = 'check_violation', CONSTRAINT = 'bank_lines_whole';\n                    END IF;\n                    RETURN NULL;\n                ",
                    hash="4801e7d0e0ad5e229c6fbf26f9fa1df086365fa7",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_bank_lines_whole_f4c41",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="payments_bankline",
                    when="AFTER",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="bankline",
            trigger=pgtrigger.compiler.Trigger(
                name="record_insert",
                sql=config.triggers.GuardSql(
                    func="INSERT INTO payments_banklinechange (subject_id, from_status, to_status, details, at, actor_id, reason) SELECT n.id, '', n.status, '{}'::jsonb, clock_timestamp(), nullif(current_setting('outlast.actor', true), '')::bigint, coalesce(current_setting('outlast.reason', true), '') FROM new_rows n ; RETURN NULL;",
                    hash="1730e30324f35f78f60e73fddaf2209a83612db6",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_record_insert_3388a",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="payments_bankline",
                    when="AFTER",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="bankline",
            trigger=pgtrigger.compiler.Trigger(
                name="record_update",
                sql=config.triggers.GuardSql(
                    func="\n        IF (SELECT count(*) FROM (SELECT 1 FROM new_rows LIMIT 2) few) < 2 THEN\n            INSERT INTO payments_banklinechange (subject_id, from_status, to_status, details, at, actor_id, reason) SELECT n.id, o.status, n.status, '{}'::jsonb, clock_timestamp(), nullif(current_setting('outlast.actor', true), '')::bigint, coalesce(current_setting('outlast.reason', true), '') FROM new_rows n JOIN old_rows o USING (id) WHERE o.status IS DISTINCT FROM n.status;\n        ELSE\n            EXECUTE $statement$INSERT INTO payments_banklinechange (subject_id, from_status, to_status, details, at, actor_id, reason) SELECT n.id, o.status, n.status, '{}'::jsonb, clock_timestamp(), nullif(current_setting('outlast.actor', true), '')::bigint, coalesce(current_setting('outlast.reason', true), '') FROM new_rows n JOIN old_rows o USING (id) WHERE o.status IS DISTINCT FROM n.status$statement$;\n        END IF;\n     RETURN NULL;",
                    hash="710df685db10a81dd8eec89e1c3a0e6332905ba3",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_record_update_e2e2c",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="payments_bankline",
                    when="AFTER",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="bankline",
            trigger=pgtrigger.compiler.Trigger(
                name="never_deleted",
                sql=config.triggers.GuardSql(
                    func="\n            RAISE EXCEPTION '% of % is refused: its rows are kept as they are', TG_OP, TG_TABLE_NAME\n                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'never_deleted';\n        ",
                    hash="ecc30811f87492f982b9e076efeaba8edd279638",
                    operation="DELETE",
                    pgid="pgtrigger_never_deleted_d056f",
                    table="payments_bankline",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="bankline",
            trigger=pgtrigger.compiler.Trigger(
                name="never_truncated",
                sql=config.triggers.GuardSql(
                    func="\n            RAISE EXCEPTION '% of % is refused: its rows are kept as they are', TG_OP, TG_TABLE_NAME\n                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'never_truncated';\n        ",
                    hash="74c0c34f3cbb6c3e1566b83e2ff05d282631b033",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_never_truncated_5df3d",
                    table="payments_bankline",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="bankmatch",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "payout"), ("payout__isnull", False), ("record__isnull", True)),
                    models.Q(("kind", "by_hand"), ("payout__isnull", True), ("record__isnull", False)),
                    models.Q(
                        ("kind__in", ("bank_fee", "not_ours")), ("payout__isnull", True), ("record__isnull", True)
                    ),
                    _connector="OR",
                ),
                name="bank_match_kind",
            ),
        ),
        migrations.AddConstraint(
            model_name="bankmatch",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_cents", 0), _negated=True), name="bank_match_amount"
            ),
        ),
        migrations.AddConstraint(
            model_name="bankmatch",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("found_by", "person"), ("made_by__isnull", False), models.Q(("reason", ""), _negated=True)
                    ),
                    models.Q(("found_by__in", ("trace", "reference", "amount")), ("made_by__isnull", True)),
                    _connector="OR",
                ),
                name="bank_match_is_named",
            ),
        ),
        migrations.AddConstraint(
            model_name="bankmatch",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("undone_at__isnull", True), ("undone_because", ""), ("undone_by__isnull", True)),
                    models.Q(
                        ("undone_at__isnull", False),
                        ("undone_by__isnull", False),
                        models.Q(("undone_because", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="bank_match_undone",
            ),
        ),
        migrations.AddConstraint(
            model_name="bankmatch",
            constraint=models.UniqueConstraint(
                models.F("payout"),
                models.Func("amount_cents", function="sign"),
                condition=models.Q(("payout__isnull", False), ("undone_at__isnull", True)),
                name="bank_match_payout_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="bankmatch",
            constraint=models.UniqueConstraint(
                condition=models.Q(("record__isnull", False), ("undone_at__isnull", True)),
                fields=("record",),
                name="bank_match_record_once",
            ),
        ),
        config.triggers.AddGuard(
            model_name="bankmatch",
            trigger=pgtrigger.compiler.Trigger(
                name="bank_match_fits",
                sql=config.triggers.GuardSql(
                    declare="DECLARE of record; other record;",
                    func="\n                    SELECT l.status, l.currency, l.amount_cents, a.livemode INTO of\n                        FROM payments_bankline l JOIN payments_bankaccount a ON a.id = l.account_id\n                        WHERE l.id = NEW.line_id FOR NO KEY UPDATE OF l;\n                    IF of.status IS DISTINCT FROM 'waiting' THEN\n                        RAISE EXCEPTION 'line % is matched', NEW.line_id\n                            USING ERRCODE = 'check_violation', CONSTRAINT = 'bank_match_of_waiting';\n                    END IF;\n                    IF NEW.undone_at IS NOT NULL THEN\n                        RAISE EXCEPTION 'a match begins as one'\n                            USING ERRCODE = 'check_violation', CONSTRAINT = 'bank_match_undone';\n                    END IF;\n                    IF NEW.payout_id IS NOT NULL THEN\n                        -- It arrives with its own sign, and goes back with the other.\n                        SELECT currency, livemode, abs(amount_cents) * sign(NEW.amount_cents)::bigint AS cents\n                            INTO other FROM payments_providerpayout WHERE id = NEW.payout_id;\n                    ELSIF NEW.record_id IS NOT NULL THEN\n                        SELECT m.currency, coalesce(p.livemode, r.livemode, o.livemode, c.livemode) AS livemode,\n                               m.amount_cents * CASE WHEN m.refund_id IS NULL AND m.payout_id IS NULL\n                                   THEN 1 ELSE -1 END::bigint AS cents\n                            INTO other FROM payments_manualrecord m\n                            LEFT JOIN payments_payment p ON p.id = m.payment_id\n                            LEFT JOIN payments_refund r ON r.id = m.refund_id\n                            LEFT JOIN payments_payout o ON o.id = m.payout_id\n                            LEFT JOIN payments_prizecorrection c ON c.id = m.correction_id\n                            WHERE m.id = NEW.record_id AND m.status = 'confirmed';\n                    ELSE\n                        RETURN NEW;\n                    END IF;\n                    IF (other.currency, other.livemode, other.cents)\n                       IS DISTINCT FROM (of.currency, of.livemode, NEW.amount_cents) THEN\n                        RAISE EXCEPTION 'a match is of the amount, currency and mode of both'\n                            USING ERRCODE = 'check_violation', CONSTRAINT = 'bank_match_fits';\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="b587c7ff48b3553b93dbc4bfc859c96301cbdbcb",
                    operation="INSERT",
                    pgid="pgtrigger_bank_match_fits_9874e",
                    table="payments_bankmatch",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="bankmatch",
            trigger=pgtrigger.compiler.Trigger(
                name="bank_match_stays",
                sql=config.triggers.GuardSql(
                    func="\n                    IF OLD.undone_at IS NOT NULL\n                       OR (to_jsonb(NEW) - ARRAY['undone_at', 'undone_by_id', 'undone_because'])\n                       IS DISTINCT FROM (to_jsonb(OLD) - ARRAY['undone_at', 'undone_by_id', 'undone_because']) THEN\n                        RAISE EXCEPTION 'a match is undone once, and else stays as it was made'\n                            USING ERRCODE = 'check_violation', CONSTRAINT = 'bank_match_stays';\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="57727d2e2fd2a8446fa10950b28da5ae515fb369",
                    operation="UPDATE",
                    pgid="pgtrigger_bank_match_stays_98361",
                    table="payments_bankmatch",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="bankmatch",
            trigger=pgtrigger.compiler.Trigger(
                name="never_deleted",
                sql=config.triggers.GuardSql(
                    func="\n            RAISE EXCEPTION '% of % is refused: its rows are kept as they are', TG_OP, TG_TABLE_NAME\n                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'never_deleted';\n        ",
                    hash="ee6fffcd4f3bc3f1714d46a7733404e9f588734e",
                    operation="DELETE",
                    pgid="pgtrigger_never_deleted_9d918",
                    table="payments_bankmatch",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="bankmatch",
            trigger=pgtrigger.compiler.Trigger(
                name="never_truncated",
                sql=config.triggers.GuardSql(
                    func="\n            RAISE EXCEPTION '% of % is refused: its rows are kept as they are', TG_OP, TG_TABLE_NAME\n                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'never_truncated';\n        ",
                    hash="9b3ebca52eae360a42f9959d96f86257ec429a6c",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_never_truncated_bf965",
                    table="payments_bankmatch",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="providerpayoutitem",
            trigger=pgtrigger.compiler.Trigger(
                name="payout_item_fits",
                sql=config.triggers.GuardSql(
                    func="\n                    IF NOT EXISTS (\n                        SELECT 1 FROM payments_providerpayout p JOIN payments_movement m ON m.id = NEW.movement_id\n                        WHERE p.id = NEW.payout_id\n                        AND (p.provider, p.livemode, p.currency) = (m.provider, m.livemode, m.currency)) THEN\n                        RAISE EXCEPTION 'an item is of the provider, mode and currency of its payout'\n                            USING ERRCODE = 'check_violation', CONSTRAINT = 'payout_item_fits';\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="4b2ff6009fb7b641b2269b7e731369479bae01c2",
                    operation="INSERT",
                    pgid="pgtrigger_payout_item_fits_fe547",
                    table="payments_providerpayoutitem",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="providerpayoutitem",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=config.triggers.GuardSql(
                    func="\n            RAISE EXCEPTION '% of % is refused: its rows are kept as they are', TG_OP, TG_TABLE_NAME\n                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'append_only';\n        ",
                    hash="703f6578dce77094ee5f2b6e61d988c34d275f5e",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_23542",
                    table="payments_providerpayoutitem",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="providerpayoutitem",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only_truncate",
                sql=config.triggers.GuardSql(
                    func="\n            RAISE EXCEPTION '% of % is refused: its rows are kept as they are', TG_OP, TG_TABLE_NAME\n                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'append_only_truncate';\n        ",
                    hash="14046d71e96dbe17219e48629c54495ea86e5487",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_append_only_truncate_deb44",
                    table="payments_providerpayoutitem",
                    when="BEFORE",
                ),
            ),
        ),
    ]
