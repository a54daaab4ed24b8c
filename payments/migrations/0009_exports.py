import uuid

import django.db.models.deletion
import pgtrigger.compiler
from django.conf import settings
from django.db import migrations, models

import config.clock
import config.triggers


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("payments", "0008_winner_payouts"),
    ]

    operations = [
        migrations.CreateModel(
            name="Export",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "ref",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, help_text="Its name in marks and links.", unique=True
                    ),
                ),
                ("report", models.CharField(max_length=40)),
                ("parameters", models.JSONField(default=dict)),
                (
                    "format",
                    models.CharField(
                        choices=[
                            ("csv", "CSV"),
                            ("csv-excel", "CSV for Excel (with a byte-order mark)"),
                            ("csv-raw", "CSV for machines (texts unchanged: not for spreadsheets)"),
                            ("xlsx", "Excel (XLSX)"),
                            ("jsonl", "JSON Lines, for machines"),
                            ("pdf", "PDF, to print"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "schema_version",
                    models.PositiveSmallIntegerField(help_text="Of the report's columns and their meaning."),
                ),
                (
                    "as_of",
                    models.DateTimeField(blank=True, help_text="The instant of its look at the books.", null=True),
                ),
                (
                    "bounds",
                    models.JSONField(
                        blank=True, default=dict, help_text="The last row of each table that it looks at."
                    ),
                ),
                ("code_version", models.CharField(blank=True, default="", max_length=60)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("queued", "Queued"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                            ("expired", "Expired"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "origin",
                    models.CharField(
                        choices=[
                            ("staff", "Staff"),
                            ("schedule", "Schedule"),
                            ("command", "Command"),
                            ("check", "Made again, to compare"),
                        ],
                        max_length=10,
                    ),
                ),
                ("is_personal", models.BooleanField(help_text="It names people.")),
                (
                    "is_kept",
                    models.BooleanField(db_default=True, default=True, help_text="Whether the file lies in our store."),
                ),
                (
                    "watermark",
                    models.CharField(blank=True, default="", help_text="Stands in every row and page.", max_length=500),
                ),
                ("rows", models.PositiveBigIntegerField(blank=True, null=True)),
                ("totals", models.JSONField(blank=True, default=dict)),
                ("sha256", models.CharField(blank=True, default="", max_length=64)),
                ("size", models.PositiveBigIntegerField(blank=True, help_text="Bytes.", null=True)),
                (
                    "file_key",
                    models.CharField(blank=True, default="", help_text="Its random name in the store.", max_length=200),
                ),
                ("needs_approval", models.BooleanField(db_default=False, default=False)),
                (
                    "period_first",
                    models.DateField(blank=True, help_text="First day of the schedule's period.", null=True),
                ),
                ("agrees", models.BooleanField(blank=True, help_text="Whether the same bytes came out.", null=True)),
                ("rows_done", models.PositiveBigIntegerField(db_default=0, default=0)),
                (
                    "rows_expected",
                    models.PositiveBigIntegerField(blank=True, help_text="What the database reckons.", null=True),
                ),
                ("attempts", models.PositiveSmallIntegerField(db_default=0, default=0)),
                ("error", models.CharField(blank=True, default="", max_length=500)),
                ("created_at", models.DateTimeField(db_default=config.clock.ClockTimestamp())),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                (
                    "touched_at",
                    models.DateTimeField(blank=True, help_text="The worker's last sign of life.", null=True),
                ),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["-id"],
                "permissions": [
                    ("export_personal", "Can export reports that name people"),
                    ("approve_export", "Can approve an export of another"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ExportChange",
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
            name="ExportDownload",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(db_default=config.clock.ClockTimestamp())),
                (
                    "way",
                    models.CharField(
                        choices=[("admin", "The back office"), ("api", "The API"), ("link", "A signed link")],
                        max_length=5,
                    ),
                ),
                ("address", models.GenericIPAddressField(blank=True, null=True)),
                ("nonce", models.UUIDField(blank=True, null=True)),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="ExportSchedule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=80)),
                ("report", models.CharField(max_length=40)),
                ("format", models.CharField(max_length=10)),
                ("pool_id", models.BigIntegerField(blank=True, null=True)),
                ("options", models.JSONField(blank=True, default=dict)),
                ("every", models.CharField(choices=[("day", "Day"), ("month", "Month")], max_length=5)),
                (
                    "hour",
                    models.PositiveSmallIntegerField(
                        default=6, help_text="From which hour on, in the finance zone, of the day after the period."
                    ),
                ),
                ("next_first", models.DateField()),
                (
                    "status",
                    models.CharField(
                        choices=[("active", "Active"), ("stopped", "Stopped")], default="active", max_length=10
                    ),
                ),
                ("created_at", models.DateTimeField(db_default=config.clock.ClockTimestamp())),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="ExportScheduleChange",
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
            name="PeriodClose",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("first_day", models.DateField()),
                ("last_day", models.DateField()),
                (
                    "status",
                    models.CharField(
                        choices=[("proposed", "Proposed"), ("closed", "Closed"), ("withdrawn", "Withdrawn")],
                        default="proposed",
                        max_length=10,
                    ),
                ),
                ("trial_balance", models.JSONField(blank=True, default=list)),
                ("entries", models.PositiveBigIntegerField(default=0, help_text="Journal entries up to its end.")),
                ("last_entry_id", models.BigIntegerField(default=0, help_text="The last of them when it was closed.")),
                (
                    "open_discrepancies",
                    models.PositiveIntegerField(default=0, help_text="How many doubts were open then."),
                ),
                ("previous_digest", models.CharField(blank=True, default="", max_length=64)),
                ("digest", models.CharField(blank=True, default="", max_length=64)),
                ("proposed_at", models.DateTimeField(db_default=config.clock.ClockTimestamp())),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["-first_day", "-id"],
                "permissions": [
                    ("propose_period", "Can propose to close a month"),
                    ("close_period", "Can close a month"),
                ],
            },
        ),
        migrations.CreateModel(
            name="PeriodCloseChange",
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
        migrations.AlterField(
            model_name="journalentry",
            name="finance_date",
            field=models.DateField(
                help_text="The day of that instant in the finance zone; the first open one, where its month was closed already."
            ),
        ),
        config.triggers.AddGuard(
            model_name="journalentry",
            trigger=pgtrigger.compiler.Trigger(
                name="journal_period_open",
                sql=config.triggers.GuardSql(
                    func="\n                    IF EXISTS (\n                        SELECT 1 FROM new_rows WHERE finance_date <=\n                            (SELECT max(last_day) FROM payments_periodclose WHERE status = 'closed')\n                    ) THEN\n                        RAISE EXCEPTION 'an entry belongs into the first open day, not into a closed month'\n                            USING ERRCODE = 'check_violation', CONSTRAINT = 'journal_period_open';\n                    END IF;\n                    RETURN NULL;\n                ",
                    hash="bc4f28c8ffb6f78f1b20d4dfe88d407ba356a28b",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_journal_period_open_b389e",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="payments_journalentry",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddField(
            model_name="export",
            name="approved_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="export",
            name="repeats",
            field=models.ForeignKey(
                blank=True,
                help_text="The export that was made again to compare.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="repetitions",
                to="payments.export",
            ),
        ),
        migrations.AddField(
            model_name="export",
            name="requested_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        config.triggers.AddGuard(
            model_name="exportchange",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=config.triggers.GuardSql(
                    func="\n            RAISE EXCEPTION '% of % is refused: its rows are kept as they are', TG_OP, TG_TABLE_NAME\n                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'append_only';\n        ",
                    hash="ddc151d2d6577e035b08135f8a0a66525b6f760f",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_fd2c5",
                    table="payments_exportchange",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="exportchange",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only_truncate",
                sql=config.triggers.GuardSql(
                    func="\n            RAISE EXCEPTION '% of % is refused: its rows are kept as they are', TG_OP, TG_TABLE_NAME\n                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'append_only_truncate';\n        ",
                    hash="d62afd80b71309c20db8ca11311fbfc3585229fd",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_append_only_truncate_71967",
                    table="payments_exportchange",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddField(
            model_name="exportdownload",
            name="by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="exportdownload",
            name="export",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="downloads", to="payments.export"
            ),
        ),
        migrations.AddField(
            model_name="exportschedule",
            name="created_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="exportschedule",
            name="recipients",
            field=models.ManyToManyField(blank=True, related_name="+", to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name="export",
            name="schedule",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="exports",
                to="payments.exportschedule",
            ),
        ),
        config.triggers.AddGuard(
            model_name="exportschedulechange",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=config.triggers.GuardSql(
                    func="\n            RAISE EXCEPTION '% of % is refused: its rows are kept as they are', TG_OP, TG_TABLE_NAME\n                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'append_only';\n        ",
                    hash="85b1f72955f0e23578ed5111c17cf384ce18572b",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_1a73a",
                    table="payments_exportschedulechange",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="exportschedulechange",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only_truncate",
                sql=config.triggers.GuardSql(
                    func="\n            RAISE EXCEPTION '% of % is refused: its rows are kept as they are', TG_OP, TG_TABLE_NAME\n                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'append_only_truncate';\n        ",
                    hash="3d37b7887fda5c08545302100d2c791870e39ca9",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_append_only_truncate_22d14",
                    table="payments_exportschedulechange",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddField(
            model_name="periodclose",
            name="closed_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="periodclose",
            name="proposed_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        config.triggers.AddGuard(
            model_name="periodclosechange",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=config.triggers.GuardSql(
                    func="\n            RAISE EXCEPTION '% of % is refused: its rows are kept as they are', TG_OP, TG_TABLE_NAME\n                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'append_only';\n        ",
                    hash="cbcb2abc4ef8d81e02c1e9ba8635759bbd4f9bf6",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_98b1d",
                    table="payments_periodclosechange",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="periodclosechange",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only_truncate",
                sql=config.triggers.GuardSql(
                    func="\n            RAISE EXCEPTION '% of % is refused: its rows are kept as they are', TG_OP, TG_TABLE_NAME\n                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'append_only_truncate';\n        ",
                    hash="518aab5350100921d419644cbe9efbd16b0a84ff",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_append_only_truncate_d7d81",
                    table="payments_periodclosechange",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="exportdownload",
            constraint=models.UniqueConstraint(fields=("nonce",), name="export_link_opens_once"),
        ),
        migrations.AddConstraint(
            model_name="exportdownload",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("nonce__isnull", False), ("way", "link")),
                    models.Q(models.Q(("way", "link"), _negated=True), ("nonce__isnull", True)),
                    _connector="OR",
                ),
                name="export_link_has_nonce",
            ),
        ),
        config.triggers.AddGuard(
            model_name="exportdownload",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=config.triggers.GuardSql(
                    func="\n            RAISE EXCEPTION '% of % is refused: its rows are kept as they are', TG_OP, TG_TABLE_NAME\n                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'append_only';\n        ",
                    hash="c50d8f5dece66aa35ece38cebcea0076cf1fd5e7",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_5874c",
                    table="payments_exportdownload",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="exportdownload",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only_truncate",
                sql=config.triggers.GuardSql(
                    func="\n            RAISE EXCEPTION '% of % is refused: its rows are kept as they are', TG_OP, TG_TABLE_NAME\n                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'append_only_truncate';\n        ",
                    hash="f5b241a2b33b478a2de0f4c872cf0df6f8c6ac60",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_append_only_truncate_33074",
                    table="payments_exportdownload",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddIndex(
            model_name="exportschedule",
            index=models.Index(condition=models.Q(("status", "active")), fields=["next_first"], name="schedule_active"),
        ),
        migrations.AddConstraint(
            model_name="exportschedule",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["active", "stopped"])), name="schedule_status_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="exportschedule",
            constraint=models.CheckConstraint(condition=models.Q(("hour__lte", 23)), name="schedule_hour"),
        ),
        migrations.AddConstraint(
            model_name="exportschedule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("every", "month"), _negated=True), ("next_first__day", 1), _connector="OR"
                ),
                name="schedule_months_begin_on_the_first",
            ),
        ),
        config.triggers.AddGuard(
            model_name="exportschedule",
            trigger=pgtrigger.compiler.Trigger(
                name="status_map",
                sql=config.triggers.GuardSql(
                    condition="WHEN (OLD.status IS DISTINCT FROM NEW.status)",
                    func="\n            IF NOT (OLD.status || '>' || NEW.status = ANY(ARRAY['active>stopped', 'stopped>active']::text[])) THEN\n                RAISE EXCEPTION '% cannot go from % to %', TG_TABLE_NAME, OLD.status, NEW.status\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'status_map';\n            END IF;\n            RETURN NEW;\n        ",
                    hash="83d75e03ca75b5bd953f7354e5f4e35f5a9433ee",
                    operation='UPDATE OF "status"',
                    pgid="pgtrigger_status_map_c0dcd",
                    table="payments_exportschedule",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="exportschedule",
            trigger=pgtrigger.compiler.Trigger(
                name="schedule_stays",
                sql=config.triggers.GuardSql(
                    func="\n                    IF (NEW.name, NEW.report, NEW.format, NEW.pool_id, NEW.options, NEW.every, NEW.hour,\n                        NEW.created_by_id)\n                       IS DISTINCT FROM (OLD.name, OLD.report, OLD.format, OLD.pool_id, OLD.options, OLD.every,\n                        OLD.hour, OLD.created_by_id)\n                       OR NEW.next_first < OLD.next_first THEN\n                        RAISE EXCEPTION 'a schedule is stopped and another made, never changed'\n                            USING ERRCODE = 'check_violation', CONSTRAINT = 'schedule_stays';\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="9c035e3a03fb2b9b09ad4bbaaef47c758d578955",
                    operation="UPDATE",
                    pgid="pgtrigger_schedule_stays_2eb7b",
                    table="payments_exportschedule",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="exportschedule",
            trigger=pgtrigger.compiler.Trigger(
                name="record_insert",
                sql=config.triggers.GuardSql(
                    func="INSERT INTO payments_exportschedulechange (subject_id, from_status, to_status, details, at, actor_id, reason) SELECT n.id, '', n.status, '{}'::jsonb, clock_timestamp(), nullif(current_setting('outlast.actor', true), '')::bigint, coalesce(current_setting('outlast.reason', true), '') FROM new_rows n ; RETURN NULL;",
                    hash="8918d46319c1667d91c463b03bfb61ff4b76261c",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_record_insert_316a5",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="payments_exportschedule",
                    when="AFTER",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="exportschedule",
            trigger=pgtrigger.compiler.Trigger(
                name="record_update",
                sql=config.triggers.GuardSql(
                    func="\n        IF (SELECT count(*) FROM (SELECT 1 FROM new_rows LIMIT 2) few) < 2 THEN\n            INSERT INTO payments_exportschedulechange (subject_id, from_status, to_status, details, at, actor_id, reason) SELECT n.id, o.status, n.status, '{}'::jsonb, clock_timestamp(), nullif(current_setting('outlast.actor', true), '')::bigint, coalesce(current_setting('outlast.reason', true), '') FROM new_rows n JOIN old_rows o USING (id) WHERE o.status IS DISTINCT FROM n.status;\n        ELSE\n            EXECUTE $statement$INSERT INTO payments_exportschedulechange (subject_id, from_status, to_status, details, at, actor_id, reason) SELECT n.id, o.status, n.status, '{}'::jsonb, clock_timestamp(), nullif(current_setting('outlast.actor', true), '')::bigint, coalesce(current_setting('outlast.reason', true), '') FROM new_rows n JOIN old_rows o USING (id) WHERE o.status IS DISTINCT FROM n.status$statement$;\n        END IF;\n     RETURN NULL;",
                    hash="93611772d8067f2616eb352a26e21568b514b195",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_record_update_318f0",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="payments_exportschedule",
                    when="AFTER",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="exportschedule",
            trigger=pgtrigger.compiler.Trigger(
                name="never_deleted",
                sql=config.triggers.GuardSql(
                    func="\n            RAISE EXCEPTION '% of % is refused: its rows are kept as they are', TG_OP, TG_TABLE_NAME\n                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'never_deleted';\n        ",
                    hash="49e989792cd3ee4392de6f766f7acd5602ed5ab8",
                    operation="DELETE",
                    pgid="pgtrigger_never_deleted_3b7b2",
                    table="payments_exportschedule",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="exportschedule",
            trigger=pgtrigger.compiler.Trigger(
                name="never_truncated",
                sql=config.triggers.GuardSql(
                    func="\n            RAISE EXCEPTION '% of % is refused: its rows are kept as they are', TG_OP, TG_TABLE_NAME\n                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'never_truncated';\n        ",
                    hash="c6706ab3ad9d0d1dee37682df764ac159353ac26",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_never_truncated_36292",
                    table="payments_exportschedule",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddIndex(
            model_name="export",
            index=models.Index(condition=models.Q(("status", "queued")), fields=["id"], name="export_queued"),
        ),
        migrations.AddIndex(
            model_name="export",
            index=models.Index(condition=models.Q(("status", "done")), fields=["expires_at"], name="export_done"),
        ),
        migrations.AddConstraint(
            model_name="export",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ["waiting", "queued", "running", "done", "failed", "cancelled", "expired"])
                ),
                name="export_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="export",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "running")), fields=("status",), name="export_one_slot"
            ),
        ),
        migrations.AddConstraint(
            model_name="export",
            constraint=models.UniqueConstraint(
                condition=models.Q(("file_key", ""), _negated=True), fields=("file_key",), name="export_file_key_unique"
            ),
        ),
        migrations.AddConstraint(
            model_name="export",
            constraint=models.UniqueConstraint(fields=("schedule", "period_first"), name="export_period_once"),
        ),
        migrations.AddConstraint(
            model_name="export",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("approved_by__isnull", True),
                    models.Q(("approved_by", models.F("requested_by")), _negated=True),
                    _connector="OR",
                ),
                name="export_two_names",
            ),
        ),
        migrations.AddConstraint(
            model_name="export",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("needs_approval", False),
                    ("status__in", ("waiting", "cancelled")),
                    ("approved_by__isnull", False),
                    _connector="OR",
                ),
                name="export_is_approved",
            ),
        ),
        migrations.AddConstraint(
            model_name="export",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status__in", ("done", "expired")), _negated=True),
                    models.Q(
                        ("finished_at__isnull", False),
                        ("rows__isnull", False),
                        ("sha256__regex", "^[0-9a-f]{64}$"),
                        ("size__isnull", False),
                        models.Q(("is_kept", False), models.Q(("file_key", ""), _negated=True), _connector="OR"),
                    ),
                    _connector="OR",
                ),
                name="export_written_is_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="export",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("origin", "staff"), _negated=True), ("requested_by__isnull", False), _connector="OR"
                ),
                name="export_of_staff_is_named",
            ),
        ),
        migrations.AddConstraint(
            model_name="export",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("origin", "schedule"), ("period_first__isnull", False), ("schedule__isnull", False)),
                    models.Q(
                        models.Q(("origin", "schedule"), _negated=True),
                        ("period_first__isnull", True),
                        ("schedule__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="export_of_a_schedule",
            ),
        ),
        migrations.AddConstraint(
            model_name="export",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("is_personal", False),
                    ("is_kept", False),
                    models.Q(("watermark", ""), _negated=True),
                    _connector="OR",
                ),
                name="export_is_marked",
            ),
        ),
        config.triggers.AddGuard(
            model_name="export",
            trigger=pgtrigger.compiler.Trigger(
                name="status_map",
                sql=config.triggers.GuardSql(
                    condition="WHEN (OLD.status IS DISTINCT FROM NEW.status)",
                    func="\n            IF NOT (OLD.status || '>' || NEW.status = ANY(ARRAY['waiting>queued', 'waiting>cancelled', 'queued>running', 'queued>cancelled', 'running>done', 'running>queued', 'running>failed', 'failed>queued', 'done>expired']::text[])) THEN\n                RAISE EXCEPTION '% cannot go from % to %', TG_TABLE_NAME, OLD.status, NEW.status\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'status_map';\n            END IF;\n            RETURN NEW;\n        ",
                    hash="952354eeff85db021e5ddb8881bb540f2c695c33",
                    operation='UPDATE OF "status"',
                    pgid="pgtrigger_status_map_2df6d",
                    table="payments_export",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="export",
            trigger=pgtrigger.compiler.Trigger(
                name="export_stays",
                sql=config.triggers.GuardSql(
                    func="\n                    IF (NEW.ref, NEW.report, NEW.parameters, NEW.format, NEW.origin, NEW.requested_by_id, NEW.schedule_id, NEW.period_first, NEW.repeats_id, NEW.watermark, NEW.is_personal, NEW.is_kept, NEW.schema_version) IS DISTINCT FROM (OLD.ref, OLD.report, OLD.parameters, OLD.format, OLD.origin, OLD.requested_by_id, OLD.schedule_id, OLD.period_first, OLD.repeats_id, OLD.watermark, OLD.is_personal, OLD.is_kept, OLD.schema_version)\n                       OR OLD.as_of IS NOT NULL AND (NEW.as_of, NEW.bounds) IS DISTINCT FROM (OLD.as_of, OLD.bounds)\n                       OR OLD.status IN ('done', 'expired') AND (NEW.rows, NEW.totals, NEW.sha256, NEW.size, NEW.file_key, NEW.code_version, NEW.finished_at, NEW.agrees) IS DISTINCT FROM (OLD.rows, OLD.totals, OLD.sha256, OLD.size, OLD.file_key, OLD.code_version, OLD.finished_at, OLD.agrees) THEN\n                        RAISE EXCEPTION 'what an export is of, and what came out, never changes'\n                            USING ERRCODE = 'check_violation', CONSTRAINT = 'export_stays';\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="c52f5d81d6176ff456f8b1b1dec1e10c6c4f0093",
                    operation="UPDATE",
                    pgid="pgtrigger_export_stays_c1c31",
                    table="payments_export",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="export",
            trigger=pgtrigger.compiler.Trigger(
                name="record_insert",
                sql=config.triggers.GuardSql(
                    func="INSERT INTO payments_exportchange (subject_id, from_status, to_status, details, at, actor_id, reason) SELECT n.id, '', n.status, jsonb_build_object('approved_by_id', n.approved_by_id, 'attempts', n.attempts, 'error', n.error, 'sha256', n.sha256), clock_timestamp(), nullif(current_setting('outlast.actor', true), '')::bigint, coalesce(current_setting('outlast.reason', true), '') FROM new_rows n ; RETURN NULL;",
                    hash="a3363b8e8638663e516f826048a93ce0e56e447c",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_record_insert_a7729",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="payments_export",
                    when="AFTER",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="export",
            trigger=pgtrigger.compiler.Trigger(
                name="record_update",
                sql=config.triggers.GuardSql(
                    func="\n        IF (SELECT count(*) FROM (SELECT 1 FROM new_rows LIMIT 2) few) < 2 THEN\n            INSERT INTO payments_exportchange (subject_id, from_status, to_status, details, at, actor_id, reason) SELECT n.id, o.status, n.status, jsonb_build_object('approved_by_id', n.approved_by_id, 'attempts', n.attempts, 'error', n.error, 'sha256', n.sha256), clock_timestamp(), nullif(current_setting('outlast.actor', true), '')::bigint, coalesce(current_setting('outlast.reason', true), '') FROM new_rows n JOIN old_rows o USING (id) WHERE o.status IS DISTINCT FROM n.status OR o.approved_by_id IS DISTINCT FROM n.approved_by_id OR o.attempts IS DISTINCT FROM n.attempts OR o.error IS DISTINCT FROM n.error OR o.sha256 IS DISTINCT FROM n.sha256;\n        ELSE\n            EXECUTE $statement$INSERT INTO payments_exportchange (subject_id, from_status, to_status, details, at, actor_id, reason) SELECT n.id, o.status, n.status, jsonb_build_object('approved_by_id', n.approved_by_id, 'attempts', n.attempts, 'error', n.error, 'sha256', n.sha256), clock_timestamp(), nullif(current_setting('outlast.actor', true), '')::bigint, coalesce(current_setting('outlast.reason', true), '') FROM new_rows n JOIN old_rows o USING (id) WHERE o.status IS DISTINCT FROM n.status OR o.approved_by_id IS DISTINCT FROM n.approved_by_id OR o.attempts IS DISTINCT FROM n.attempts OR o.error IS DISTINCT FROM n.error OR o.sha256 IS DISTINCT FROM n.sha256$statement$;\n        END IF;\n     RETURN NULL;",
                    hash="8f11d6365370b5e47edd51cf3453d88525ca0abd",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_record_update_0dc37",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="payments_export",
                    when="AFTER",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="export",
            trigger=pgtrigger.compiler.Trigger(
                name="never_deleted",
                sql=config.triggers.GuardSql(
                    func="\n            RAISE EXCEPTION '% of % is refused: its rows are kept as they are', TG_OP, TG_TABLE_NAME\n                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'never_deleted';\n        ",
                    hash="2ca2693d2066ff2016ffb7ab42a0891cccabfec4",
                    operation="DELETE",
                    pgid="pgtrigger_never_deleted_ac576",
                    table="payments_export",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="export",
            trigger=pgtrigger.compiler.Trigger(
                name="never_truncated",
                sql=config.triggers.GuardSql(
                    func="\n            RAISE EXCEPTION '% of % is refused: its rows are kept as they are', TG_OP, TG_TABLE_NAME\n                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'never_truncated';\n        ",
                    hash="b4850d181f0922917f5ff042777f0c2c6131afc2",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_never_truncated_463ce",
                    table="payments_export",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="periodclose",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["proposed", "closed", "withdrawn"])), name="period_status_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="periodclose",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "withdrawn"), _negated=True),
                fields=("first_day",),
                name="period_closed_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="periodclose",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("closed_by__isnull", True),
                    models.Q(("closed_by", models.F("proposed_by")), _negated=True),
                    _connector="OR",
                ),
                name="period_two_names",
            ),
        ),
        migrations.AddConstraint(
            model_name="periodclose",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "closed"), _negated=True),
                    models.Q(
                        ("closed_at__isnull", False), ("closed_by__isnull", False), ("digest__regex", "^[0-9a-f]{64}$")
                    ),
                    _connector="OR",
                ),
                name="period_closed_is_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="periodclose",
            constraint=models.CheckConstraint(
                condition=models.Q(("first_day__day", 1), ("last_day__gt", models.F("first_day"))),
                name="period_is_a_month",
            ),
        ),
        config.triggers.AddGuard(
            model_name="periodclose",
            trigger=pgtrigger.compiler.Trigger(
                name="status_map",
                sql=config.triggers.GuardSql(
                    condition="WHEN (OLD.status IS DISTINCT FROM NEW.status)",
                    func="\n            IF NOT (OLD.status || '>' || NEW.status = ANY(ARRAY['proposed>closed', 'proposed>withdrawn']::text[])) THEN\n                RAISE EXCEPTION '% cannot go from % to %', TG_TABLE_NAME, OLD.status, NEW.status\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'status_map';\n            END IF;\n            RETURN NEW;\n        ",
                    hash="e74fff883706496359f7a298df23a66261fd6950",
                    operation='UPDATE OF "status"',
                    pgid="pgtrigger_status_map_74f44",
                    table="payments_periodclose",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="periodclose",
            trigger=pgtrigger.compiler.Trigger(
                name="period_follows",
                sql=config.triggers.GuardSql(
                    condition="WHEN (NEW.status = 'closed')",
                    declare="DECLARE before record;",
                    func="\n                    SELECT last_day, digest INTO before FROM payments_periodclose\n                        WHERE status = 'closed' ORDER BY last_day DESC LIMIT 1;\n                    IF NEW.last_day <> (NEW.first_day + interval '1 month')::date - 1\n                       OR before.last_day IS NOT NULL AND NEW.first_day <> before.last_day + 1\n                       OR NEW.previous_digest <> coalesce(before.digest, '') THEN\n                        RAISE EXCEPTION 'months are closed one after another, each with the digest of the one before'\n                            USING ERRCODE = 'check_violation', CONSTRAINT = 'period_follows';\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="7992a95157bca225e7b178e21560f71cfa4fcdd9",
                    operation='INSERT OR UPDATE OF "status"',
                    pgid="pgtrigger_period_follows_3f807",
                    table="payments_periodclose",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="periodclose",
            trigger=pgtrigger.compiler.Trigger(
                name="period_stays",
                sql=config.triggers.GuardSql(
                    func="\n                    IF (NEW.first_day, NEW.last_day, NEW.proposed_by_id)\n                       IS DISTINCT FROM (OLD.first_day, OLD.last_day, OLD.proposed_by_id)\n                       OR OLD.status <> 'proposed' THEN\n                        RAISE EXCEPTION 'a closed month stays as it was closed'\n                            USING ERRCODE = 'check_violation', CONSTRAINT = 'period_stays';\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="2ecc6518dd1a23dd81f0f702fe4ef2cfafadac71",
                    operation="UPDATE",
                    pgid="pgtrigger_period_stays_16650",
                    table="payments_periodclose",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="periodclose",
            trigger=pgtrigger.compiler.Trigger(
                name="record_insert",
                sql=config.triggers.GuardSql(
                    func="INSERT INTO payments_periodclosechange (subject_id, from_status, to_status, details, at, actor_id, reason) SELECT n.id, '', n.status, jsonb_build_object('closed_by_id', n.closed_by_id, 'digest', n.digest), clock_timestamp(), nullif(current_setting('outlast.actor', true), '')::bigint, coalesce(current_setting('outlast.reason', true), '') FROM new_rows n ; RETURN NULL;",
                    hash="79e558ff3213153353658f22649b17b0834cd8c9",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_record_insert_210a2",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="payments_periodclose",
                    when="AFTER",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="periodclose",
            trigger=pgtrigger.compiler.Trigger(
                name="record_update",
                sql=config.triggers.GuardSql(
                    func="\n        IF (SELECT count(*) FROM (SELECT 1 FROM new_rows LIMIT 2) few) < 2 THEN\n            INSERT INTO payments_periodclosechange (subject_id, from_status, to_status, details, at, actor_id, reason) SELECT n.id, o.status, n.status, jsonb_build_object('closed_by_id', n.closed_by_id, 'digest', n.digest), clock_timestamp(), nullif(current_setting('outlast.actor', true), '')::bigint, coalesce(current_setting('outlast.reason', true), '') FROM new_rows n JOIN old_rows o USING (id) WHERE o.status IS DISTINCT FROM n.status OR o.closed_by_id IS DISTINCT FROM n.closed_by_id OR o.digest IS DISTINCT FROM n.digest;\n        ELSE\n            EXECUTE $statement$INSERT INTO payments_periodclosechange (subject_id, from_status, to_status, details, at, actor_id, reason) SELECT n.id, o.status, n.status, jsonb_build_object('closed_by_id', n.closed_by_id, 'digest', n.digest), clock_timestamp(), nullif(current_setting('outlast.actor', true), '')::bigint, coalesce(current_setting('outlast.reason', true), '') FROM new_rows n JOIN old_rows o USING (id) WHERE o.status IS DISTINCT FROM n.status OR o.closed_by_id IS DISTINCT FROM n.closed_by_id OR o.digest IS DISTINCT FROM n.digest$statement$;\n        END IF;\n     RETURN NULL;",
                    hash="91b665c7a514ac4635f513850014344b33d0526f",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_record_update_230a9",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="payments_periodclose",
                    when="AFTER",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="periodclose",
            trigger=pgtrigger.compiler.Trigger(
                name="never_deleted",
                sql=config.triggers.GuardSql(
                    func="\n            RAISE EXCEPTION '% of % is refused: its rows are kept as they are', TG_OP, TG_TABLE_NAME\n                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'never_deleted';\n        ",
                    hash="e01f216eb7d16faf2f06a7d28caa633bc36855dc",
                    operation="DELETE",
                    pgid="pgtrigger_never_deleted_50420",
                    table="payments_periodclose",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="periodclose",
            trigger=pgtrigger.compiler.Trigger(
                name="never_truncated",
                sql=config.triggers.GuardSql(
                    func="\n            RAISE EXCEPTION '% of % is refused: its rows are kept as they are', TG_OP, TG_TABLE_NAME\n                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'never_truncated';\n        ",
                    hash="3a9e7df051b205388b5522aaa4a1bd272bc550a3",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_never_truncated_81d95",
                    table="payments_periodclose",
                    when="BEFORE",
                ),
            ),
        ),
    ]
