import django.db.models.deletion
import pgtrigger.compiler
from django.conf import settings
from django.db import migrations, models

import config.clock
import config.triggers


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0006_bank"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="DiscrepancyAct",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "act",
                    models.CharField(
                        choices=[
                            ("looked_after", "Looked after"),
                            ("given", "Given to a colleague"),
                            ("put_back", "Put back"),
                            ("asked", "Asked the provider"),
                            ("allocated", "Made the money a place"),
                            ("refunded", "Started a refund"),
                            ("marked_foreign", "Marked as not ours"),
                            ("found_ours", "Found to be ours after all"),
                            ("write_off_asked", "Asked for a write-off"),
                            ("write_off_approved", "Approved the write-off"),
                            ("write_off_declined", "Declined the write-off"),
                            ("resolved", "Resolved"),
                        ],
                        max_length=20,
                    ),
                ),
                ("reason", models.CharField(blank=True, default="", max_length=500)),
                ("outcome", models.CharField(blank=True, default="", max_length=500)),
                ("at", models.DateTimeField(db_default=config.clock.ClockTimestamp())),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="ForeignObject",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("object_key", models.CharField(max_length=300)),
                (
                    "status",
                    models.CharField(
                        choices=[("foreign", "Not ours"), ("ours", "Ours after all")], default="foreign", max_length=10
                    ),
                ),
                ("account_kind", models.CharField(blank=True, default="", max_length=20)),
                ("provider", models.CharField(blank=True, default="", max_length=20)),
                ("amount_cents", models.BigIntegerField(default=0)),
                ("currency", models.CharField(blank=True, default="", max_length=3)),
                ("livemode", models.BooleanField(default=False)),
                ("reason", models.CharField(max_length=500)),
                ("marked_at", models.DateTimeField(db_default=config.clock.ClockTimestamp())),
                ("found_at", models.DateTimeField(blank=True, null=True)),
                ("found_because", models.CharField(blank=True, default="", max_length=500)),
            ],
            options={
                "ordering": ["-id"],
                "permissions": [("mark_foreign", "Can mark money as another business's, and back")],
            },
        ),
        migrations.CreateModel(
            name="ForeignObjectChange",
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
            name="WriteOff",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("account_kind", models.CharField(help_text="The kind of the account that it clears.", max_length=20)),
                ("provider", models.CharField(blank=True, default="", max_length=20)),
                ("amount_cents", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("livemode", models.BooleanField()),
                ("reason", models.CharField(max_length=500)),
                (
                    "status",
                    models.CharField(
                        choices=[("requested", "Requested"), ("approved", "Approved"), ("declined", "Declined")],
                        default="requested",
                        max_length=10,
                    ),
                ),
                ("requested_at", models.DateTimeField(db_default=config.clock.ClockTimestamp())),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("decision_reason", models.CharField(blank=True, default="", max_length=500)),
            ],
            options={
                "verbose_name": "write-off",
                "ordering": ["-id"],
                "permissions": [
                    ("request_writeoff", "Can ask for a write-off"),
                    ("approve_writeoff", "Can approve a write-off of another"),
                ],
            },
        ),
        migrations.CreateModel(
            name="WriteOffChange",
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
        config.triggers.RemoveGuard(
            model_name="discrepancy",
            name="record_insert",
        ),
        config.triggers.RemoveGuard(
            model_name="discrepancy",
            name="record_update",
        ),
        config.triggers.AddGuard(
            model_name="discrepancy",
            trigger=pgtrigger.compiler.Trigger(
                name="discrepancy_stays",
                sql=config.triggers.GuardSql(
                    func="\n                    IF OLD.status IN ('resolved', 'written_off') THEN\n                        RAISE EXCEPTION 'discrepancy % is closed: what comes up again is a new one', OLD.id\n                            USING ERRCODE = 'check_violation', CONSTRAINT = 'discrepancy_closed_stays';\n                    END IF;\n                    IF (NEW.kind, NEW.object_key, NEW.opened_at) IS DISTINCT FROM\n                       (OLD.kind, OLD.object_key, OLD.opened_at)\n                       OR OLD.first_run_id IS NOT NULL AND OLD.first_run_id IS DISTINCT FROM NEW.first_run_id THEN\n                        RAISE EXCEPTION 'what a discrepancy is about never changes'\n                            USING ERRCODE = 'check_violation', CONSTRAINT = 'discrepancy_stays';\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="b111a202c7068c3bdb9e6d97afdbde919a16cdfc",
                    operation="UPDATE",
                    pgid="pgtrigger_discrepancy_stays_a387e",
                    table="payments_discrepancy",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="discrepancy",
            trigger=pgtrigger.compiler.Trigger(
                name="written_off_by_two",
                sql=config.triggers.GuardSql(
                    condition="WHEN (NEW.status = 'written_off')",
                    func="\n                    IF NOT EXISTS (SELECT 1 FROM payments_writeoff w\n                                   WHERE w.discrepancy_id = NEW.id AND w.status = 'approved') THEN\n                        RAISE EXCEPTION 'discrepancy % is written off by two people, not by a status', NEW.id\n                            USING ERRCODE = 'check_violation', CONSTRAINT = 'discrepancy_written_off_by_two';\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="4ea8c9ca0e010fa54b0a1009cde78ec007a39dc5",
                    operation='INSERT OR UPDATE OF "status"',
                    pgid="pgtrigger_written_off_by_two_02c5e",
                    table="payments_discrepancy",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="discrepancy",
            trigger=pgtrigger.compiler.Trigger(
                name="record_insert",
                sql=config.triggers.GuardSql(
                    func="INSERT INTO payments_discrepancychange (subject_id, from_status, to_status, details, at, actor_id, reason) SELECT n.id, '', n.status, jsonb_build_object('owner_id', n.owner_id, 'resolution', n.resolution, 'sentence', n.sentence, 'suggestion', n.suggestion, 'ours', n.ours, 'theirs', n.theirs, 'amount_cents', n.amount_cents, 'currency', n.currency, 'due_at', n.due_at), clock_timestamp(), nullif(current_setting('outlast.actor', true), '')::bigint, coalesce(current_setting('outlast.reason', true), '') FROM new_rows n ; RETURN NULL;",
                    hash="a16a2891d38d8b7eaa65758a04dab56408d5c8b8",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_record_insert_ac5d0",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="payments_discrepancy",
                    when="AFTER",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="discrepancy",
            trigger=pgtrigger.compiler.Trigger(
                name="record_update",
                sql=config.triggers.GuardSql(
                    func="\n        IF (SELECT count(*) FROM (SELECT 1 FROM new_rows LIMIT 2) few) < 2 THEN\n            INSERT INTO payments_discrepancychange (subject_id, from_status, to_status, details, at, actor_id, reason) SELECT n.id, o.status, n.status, jsonb_build_object('owner_id', n.owner_id, 'resolution', n.resolution, 'sentence', n.sentence, 'suggestion', n.suggestion, 'ours', n.ours, 'theirs', n.theirs, 'amount_cents', n.amount_cents, 'currency', n.currency, 'due_at', n.due_at), clock_timestamp(), nullif(current_setting('outlast.actor', true), '')::bigint, coalesce(current_setting('outlast.reason', true), '') FROM new_rows n JOIN old_rows o USING (id) WHERE o.status IS DISTINCT FROM n.status OR o.owner_id IS DISTINCT FROM n.owner_id OR o.resolution IS DISTINCT FROM n.resolution OR o.sentence IS DISTINCT FROM n.sentence OR o.suggestion IS DISTINCT FROM n.suggestion OR o.ours IS DISTINCT FROM n.ours OR o.theirs IS DISTINCT FROM n.theirs OR o.amount_cents IS DISTINCT FROM n.amount_cents OR o.currency IS DISTINCT FROM n.currency OR o.due_at IS DISTINCT FROM n.due_at;\n        ELSE\n            EXECUTE $statement$INSERT INTO payments_discrepancychange (subject_id, from_status, to_status, details, at, actor_id, reason) SELECT n.id, o.status, n.status, jsonb_build_object('owner_id', n.owner_id, 'resolution', n.resolution, 'sentence', n.sentence, 'suggestion', n.suggestion, 'ours', n.ours, 'theirs', n.theirs, 'amount_cents', n.amount_cents, 'currency', n.currency, 'due_at', n.due_at), clock_timestamp(), nullif(current_setting('outlast.actor', true), '')::bigint, coalesce(current_setting('outlast.reason', true), '') FROM new_rows n JOIN old_rows o USING (id) WHERE o.status IS DISTINCT FROM n.status OR o.owner_id IS DISTINCT FROM n.owner_id OR o.resolution IS DISTINCT FROM n.resolution OR o.sentence IS DISTINCT FROM n.sentence OR o.suggestion IS DISTINCT FROM n.suggestion OR o.ours IS DISTINCT FROM n.ours OR o.theirs IS DISTINCT FROM n.theirs OR o.amount_cents IS DISTINCT FROM n.amount_cents OR o.currency IS DISTINCT FROM n.currency OR o.due_at IS DISTINCT FROM n.due_at$statement$;\n        END IF;\n     RETURN NULL;",
                    hash="3f8fdd9fffad6f882632a29b17f8ee34f01662a6",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_record_update_aa5a5",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="payments_discrepancy",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddField(
            model_name="discrepancyact",
            name="by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="discrepancyact",
            name="discrepancy",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="acts", to="payments.discrepancy"
            ),
        ),
        migrations.AddField(
            model_name="foreignobject",
            name="discrepancy",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="foreign_marks", to="payments.discrepancy"
            ),
        ),
        migrations.AddField(
            model_name="foreignobject",
            name="entry",
            field=models.OneToOneField(
                blank=True,
                help_text="What was booked, if anything lay in the books.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="foreign_mark",
                to="payments.journalentry",
            ),
        ),
        migrations.AddField(
            model_name="foreignobject",
            name="found_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="foreignobject",
            name="marked_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        config.triggers.AddGuard(
            model_name="foreignobjectchange",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=config.triggers.GuardSql(
                    func="\n            RAISE EXCEPTION '% of % is refused: its rows are kept as they are', TG_OP, TG_TABLE_NAME\n                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'append_only';\n        ",
                    hash="de349a903edbf01fe3040e3c5ca32bc084046586",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_483aa",
                    table="payments_foreignobjectchange",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="foreignobjectchange",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only_truncate",
                sql=config.triggers.GuardSql(
                    func="\n            RAISE EXCEPTION '% of % is refused: its rows are kept as they are', TG_OP, TG_TABLE_NAME\n                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'append_only_truncate';\n        ",
                    hash="55a430f94a033e1e75f62e1bde052de270171050",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_append_only_truncate_d67ca",
                    table="payments_foreignobjectchange",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddField(
            model_name="writeoff",
            name="decided_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="writeoff",
            name="discrepancy",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="write_offs", to="payments.discrepancy"
            ),
        ),
        migrations.AddField(
            model_name="writeoff",
            name="entry",
            field=models.OneToOneField(
                blank=True,
                help_text="What was booked.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="write_off",
                to="payments.journalentry",
            ),
        ),
        migrations.AddField(
            model_name="writeoff",
            name="requested_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        config.triggers.AddGuard(
            model_name="writeoffchange",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=config.triggers.GuardSql(
                    func="\n            RAISE EXCEPTION '% of % is refused: its rows are kept as they are', TG_OP, TG_TABLE_NAME\n                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'append_only';\n        ",
                    hash="20334869deb1d7db561328cd7d10ae66a2ddcfb2",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_2ec4b",
                    table="payments_writeoffchange",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="writeoffchange",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only_truncate",
                sql=config.triggers.GuardSql(
                    func="\n            RAISE EXCEPTION '% of % is refused: its rows are kept as they are', TG_OP, TG_TABLE_NAME\n                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'append_only_truncate';\n        ",
                    hash="a3d6a4671654c83b48a0acc93e45e2c32d6218ca",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_append_only_truncate_0d943",
                    table="payments_writeoffchange",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="discrepancyact",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "act__in",
                        [
                            "looked_after",
                            "given",
                            "put_back",
                            "asked",
                            "allocated",
                            "refunded",
                            "marked_foreign",
                            "found_ours",
                            "write_off_asked",
                            "write_off_approved",
                            "write_off_declined",
                            "resolved",
                        ],
                    )
                ),
                name="discrepancy_act_known",
            ),
        ),
        config.triggers.AddGuard(
            model_name="discrepancyact",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=config.triggers.GuardSql(
                    func="\n            RAISE EXCEPTION '% of % is refused: its rows are kept as they are', TG_OP, TG_TABLE_NAME\n                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'append_only';\n        ",
                    hash="c0c21b332565de49d03279b6f71ce0221b802dd6",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_d1fa1",
                    table="payments_discrepancyact",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="discrepancyact",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only_truncate",
                sql=config.triggers.GuardSql(
                    func="\n            RAISE EXCEPTION '% of % is refused: its rows are kept as they are', TG_OP, TG_TABLE_NAME\n                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'append_only_truncate';\n        ",
                    hash="21e1f2feb600b0aa085dde1979ad726df39934a6",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_append_only_truncate_27fa4",
                    table="payments_discrepancyact",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="foreignobject",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "foreign")), fields=("object_key",), name="foreign_object_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="foreignobject",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["foreign", "ours"])), name="foreign_status_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="foreignobject",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="foreign_has_reason"
            ),
        ),
        migrations.AddConstraint(
            model_name="foreignobject",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("amount_cents", 0), ("entry__isnull", True)),
                    models.Q(models.Q(("amount_cents", 0), _negated=True), ("entry__isnull", False)),
                    _connector="OR",
                ),
                name="foreign_money_is_booked",
            ),
        ),
        migrations.AddConstraint(
            model_name="foreignobject",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("found_by__isnull", True), ("status", "foreign")),
                    models.Q(
                        ("found_at__isnull", False),
                        ("found_by__isnull", False),
                        ("status", "ours"),
                        models.Q(("found_because", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="foreign_found_is_named",
            ),
        ),
        config.triggers.AddGuard(
            model_name="foreignobject",
            trigger=pgtrigger.compiler.Trigger(
                name="status_map",
                sql=config.triggers.GuardSql(
                    condition="WHEN (OLD.status IS DISTINCT FROM NEW.status)",
                    func="\n            IF NOT (OLD.status || '>' || NEW.status = ANY(ARRAY['foreign>ours']::text[])) THEN\n                RAISE EXCEPTION '% cannot go from % to %', TG_TABLE_NAME, OLD.status, NEW.status\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'status_map';\n            END IF;\n            RETURN NEW;\n        ",
                    hash="4a9d97e8cfaae9585069ee03be1c5d191d004af9",
                    operation='UPDATE OF "status"',
                    pgid="pgtrigger_status_map_eddad",
                    table="payments_foreignobject",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="foreignobject",
            trigger=pgtrigger.compiler.Trigger(
                name="foreign_stays",
                sql=config.triggers.GuardSql(
                    func="\n                    IF (NEW.object_key, NEW.discrepancy_id, NEW.account_kind, NEW.provider, NEW.amount_cents,\n                        NEW.currency, NEW.livemode, NEW.reason, NEW.marked_by_id, NEW.marked_at, NEW.entry_id)\n                       IS DISTINCT FROM (OLD.object_key, OLD.discrepancy_id, OLD.account_kind, OLD.provider,\n                        OLD.amount_cents, OLD.currency, OLD.livemode, OLD.reason, OLD.marked_by_id, OLD.marked_at,\n                        OLD.entry_id) OR OLD.status = 'ours' THEN\n                        RAISE EXCEPTION 'what was marked is kept as it was written'\n                            USING ERRCODE = 'check_violation', CONSTRAINT = 'foreign_stays';\n                    END IF;\n                    IF NEW.status = 'ours' AND NEW.entry_id IS NOT NULL AND NOT EXISTS (\n                        SELECT 1 FROM payments_journalentry j WHERE j.reverses_id = NEW.entry_id) THEN\n                        RAISE EXCEPTION 'what is ours after all is booked back first'\n                            USING ERRCODE = 'check_violation', CONSTRAINT = 'foreign_is_booked_back';\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="9ed5f198bf29dde420ea312228fa10d032bce8af",
                    operation="UPDATE",
                    pgid="pgtrigger_foreign_stays_ad4ed",
                    table="payments_foreignobject",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="foreignobject",
            trigger=pgtrigger.compiler.Trigger(
                name="foreign_begins",
                sql=config.triggers.GuardSql(
                    func="\n                    IF NEW.status <> 'foreign' OR NEW.entry_id IS NOT NULL AND NOT EXISTS (\n                        SELECT 1 FROM payments_journalentry j JOIN payments_posting l ON l.journal_entry_id = j.id\n                        JOIN payments_account a ON (a.id, a.kind) = (l.account_id, 'not_ours')\n                        WHERE j.id = NEW.entry_id\n                        AND (j.source_type, j.source_id) = ('discrepancy', NEW.discrepancy_id::text)\n                        AND (j.currency_id, j.livemode, l.amount) = (NEW.currency, NEW.livemode, NEW.amount_cents)) THEN\n                        RAISE EXCEPTION 'a mark begins as foreign, with the entry that books it'\n                            USING ERRCODE = 'check_violation', CONSTRAINT = 'foreign_begins';\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="43631498630ee458486d44eccdd2429230a1b625",
                    operation="INSERT",
                    pgid="pgtrigger_foreign_begins_36fb0",
                    table="payments_foreignobject",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="foreignobject",
            trigger=pgtrigger.compiler.Trigger(
                name="record_insert",
                sql=config.triggers.GuardSql(
                    func="INSERT INTO payments_foreignobjectchange (subject_id, from_status, to_status, details, at, actor_id, reason) SELECT n.id, '', n.status, '{}'::jsonb, clock_timestamp(), nullif(current_setting('outlast.actor', true), '')::bigint, coalesce(current_setting('outlast.reason', true), '') FROM new_rows n ; RETURN NULL;",
                    hash="8e7fdc548955c509a33e6f1d438b2ad3e2e664ef",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_record_insert_5fee7",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="payments_foreignobject",
                    when="AFTER",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="foreignobject",
            trigger=pgtrigger.compiler.Trigger(
                name="record_update",
                sql=config.triggers.GuardSql(
                    func="\n        IF (SELECT count(*) FROM (SELECT 1 FROM new_rows LIMIT 2) few) < 2 THEN\n            INSERT INTO payments_foreignobjectchange (subject_id, from_status, to_status, details, at, actor_id, reason) SELECT n.id, o.status, n.status, '{}'::jsonb, clock_timestamp(), nullif(current_setting('outlast.actor', true), '')::bigint, coalesce(current_setting('outlast.reason', true), '') FROM new_rows n JOIN old_rows o USING (id) WHERE o.status IS DISTINCT FROM n.status;\n        ELSE\n            EXECUTE $statement$INSERT INTO payments_foreignobjectchange (subject_id, from_status, to_status, details, at, actor_id, reason) SELECT n.id, o.status, n.status, '{}'::jsonb, clock_timestamp(), nullif(current_setting('outlast.actor', true), '')::bigint, coalesce(current_setting('outlast.reason', true), '') FROM new_rows n JOIN old_rows o USING (id) WHERE o.status IS DISTINCT FROM n.status$statement$;\n        END IF;\n     RETURN NULL;",
                    hash="2deb9a710ee5f1bbf3d6630a546d74f57e2f3f1d",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_record_update_4d02e",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="payments_foreignobject",
                    when="AFTER",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="foreignobject",
            trigger=pgtrigger.compiler.Trigger(
                name="never_deleted",
                sql=config.triggers.GuardSql(
                    func="\n            RAISE EXCEPTION '% of % is refused: its rows are kept as they are', TG_OP, TG_TABLE_NAME\n                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'never_deleted';\n        ",
                    hash="1b28f8d4ce958c0571de7a02569a3a968787f55f",
                    operation="DELETE",
                    pgid="pgtrigger_never_deleted_90293",
                    table="payments_foreignobject",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="foreignobject",
            trigger=pgtrigger.compiler.Trigger(
                name="never_truncated",
                sql=config.triggers.GuardSql(
                    func="\n            RAISE EXCEPTION '% of % is refused: its rows are kept as they are', TG_OP, TG_TABLE_NAME\n                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'never_truncated';\n        ",
                    hash="c414c303b77b2839d9490bcb12ee66d3f623b2bb",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_never_truncated_442b5",
                    table="payments_foreignobject",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="writeoff",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status__in", ("requested", "approved"))),
                fields=("discrepancy",),
                name="write_off_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="writeoff",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["requested", "approved", "declined"])), name="write_off_status_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="writeoff",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_cents", 0), _negated=True), name="write_off_of_something"
            ),
        ),
        migrations.AddConstraint(
            model_name="writeoff",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="write_off_has_reason"
            ),
        ),
        migrations.AddConstraint(
            model_name="writeoff",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "approved"), _negated=True),
                    models.Q(
                        ("decided_at__isnull", False),
                        ("decided_by__isnull", False),
                        models.Q(("decided_by", models.F("requested_by")), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="write_off_two_names",
            ),
        ),
        migrations.AddConstraint(
            model_name="writeoff",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("entry__isnull", False), ("status", "approved")),
                    models.Q(models.Q(("status", "approved"), _negated=True), ("entry__isnull", True)),
                    _connector="OR",
                ),
                name="write_off_is_booked",
            ),
        ),
        config.triggers.AddGuard(
            model_name="writeoff",
            trigger=pgtrigger.compiler.Trigger(
                name="status_map",
                sql=config.triggers.GuardSql(
                    condition="WHEN (OLD.status IS DISTINCT FROM NEW.status)",
                    func="\n            IF NOT (OLD.status || '>' || NEW.status = ANY(ARRAY['requested>approved', 'requested>declined']::text[])) THEN\n                RAISE EXCEPTION '% cannot go from % to %', TG_TABLE_NAME, OLD.status, NEW.status\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'status_map';\n            END IF;\n            RETURN NEW;\n        ",
                    hash="eb96168e502798d08ed758d814ef5912106a3725",
                    operation='UPDATE OF "status"',
                    pgid="pgtrigger_status_map_99800",
                    table="payments_writeoff",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="writeoff",
            trigger=pgtrigger.compiler.Trigger(
                name="write_off_begins",
                sql=config.triggers.GuardSql(
                    func="\n                    IF NEW.status <> 'requested' THEN\n                        RAISE EXCEPTION 'a write-off begins as a wish, not as %', NEW.status\n                            USING ERRCODE = 'check_violation', CONSTRAINT = 'write_off_begins';\n                    END IF;\n                    IF NOT EXISTS (SELECT 1 FROM payments_discrepancy d WHERE d.id = NEW.discrepancy_id\n                                   AND d.status IN ('open', 'acknowledged')) THEN\n                        RAISE EXCEPTION 'discrepancy % is closed', NEW.discrepancy_id\n                            USING ERRCODE = 'check_violation', CONSTRAINT = 'write_off_of_an_open_one';\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="cc024f9b1956cbdb9dfc00f008569fe35af7ed1a",
                    operation="INSERT",
                    pgid="pgtrigger_write_off_begins_999aa",
                    table="payments_writeoff",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="writeoff",
            trigger=pgtrigger.compiler.Trigger(
                name="write_off_stays",
                sql=config.triggers.GuardSql(
                    func="\n                    IF (NEW.discrepancy_id, NEW.account_kind, NEW.provider, NEW.amount_cents, NEW.currency,\n                        NEW.livemode, NEW.reason, NEW.requested_by_id, NEW.requested_at)\n                       IS DISTINCT FROM (OLD.discrepancy_id, OLD.account_kind, OLD.provider, OLD.amount_cents,\n                        OLD.currency, OLD.livemode, OLD.reason, OLD.requested_by_id, OLD.requested_at)\n                       OR OLD.status <> 'requested' AND (NEW.decided_by_id, NEW.decided_at, NEW.decision_reason,\n                        NEW.entry_id) IS DISTINCT FROM (OLD.decided_by_id, OLD.decided_at, OLD.decision_reason,\n                        OLD.entry_id) THEN\n                        RAISE EXCEPTION 'what was asked for and decided is kept as it was written'\n                            USING ERRCODE = 'check_violation', CONSTRAINT = 'write_off_stays';\n                    END IF;\n                    IF NEW.entry_id IS NOT NULL AND NOT EXISTS (\n                        SELECT 1 FROM payments_journalentry j JOIN payments_posting l ON l.journal_entry_id = j.id\n                        JOIN payments_account a ON (a.id, a.kind) = (l.account_id, 'write_offs')\n                        WHERE j.id = NEW.entry_id\n                        AND (j.source_type, j.source_id) = ('discrepancy', NEW.discrepancy_id::text)\n                        AND (j.currency_id, j.livemode, l.amount) = (NEW.currency, NEW.livemode, NEW.amount_cents)) THEN\n                        RAISE EXCEPTION 'entry % does not book write-off %', NEW.entry_id, NEW.id\n                            USING ERRCODE = 'check_violation', CONSTRAINT = 'write_off_of_its_entry';\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="55fc0b4471a10feb82d036844cd5e164436b4c04",
                    operation="UPDATE",
                    pgid="pgtrigger_write_off_stays_523c6",
                    table="payments_writeoff",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="writeoff",
            trigger=pgtrigger.compiler.Trigger(
                name="record_insert",
                sql=config.triggers.GuardSql(
                    func="INSERT INTO payments_writeoffchange (subject_id, from_status, to_status, details, at, actor_id, reason) SELECT n.id, '', n.status, '{}'::jsonb, clock_timestamp(), nullif(current_setting('outlast.actor', true), '')::bigint, coalesce(current_setting('outlast.reason', true), '') FROM new_rows n ; RETURN NULL;",
                    hash="46c80da4824f2e69472154ada7c1e0c9606edf49",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_record_insert_22dcf",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="payments_writeoff",
                    when="AFTER",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="writeoff",
            trigger=pgtrigger.compiler.Trigger(
                name="record_update",
                sql=config.triggers.GuardSql(
                    func="\n        IF (SELECT count(*) FROM (SELECT 1 FROM new_rows LIMIT 2) few) < 2 THEN\n            INSERT INTO payments_writeoffchange (subject_id, from_status, to_status, details, at, actor_id, reason) SELECT n.id, o.status, n.status, '{}'::jsonb, clock_timestamp(), nullif(current_setting('outlast.actor', true), '')::bigint, coalesce(current_setting('outlast.reason', true), '') FROM new_rows n JOIN old_rows o USING (id) WHERE o.status IS DISTINCT FROM n.status;\n        ELSE\n            EXECUTE $statement$INSERT INTO payments_writeoffchange (subject_id, from_status, to_status, details, at, actor_id, reason) SELECT n.id, o.status, n.status, '{}'::jsonb, clock_timestamp(), nullif(current_setting('outlast.actor', true), '')::bigint, coalesce(current_setting('outlast.reason', true), '') FROM new_rows n JOIN old_rows o USING (id) WHERE o.status IS DISTINCT FROM n.status$statement$;\n        END IF;\n     RETURN NULL;",
                    hash="da07c40df27ea14820312d085e70ebc2315654ed",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_record_update_827c9",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="payments_writeoff",
                    when="AFTER",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="writeoff",
            trigger=pgtrigger.compiler.Trigger(
                name="never_deleted",
                sql=config.triggers.GuardSql(
                    func="\n            RAISE EXCEPTION '% of % is refused: its rows are kept as they are', TG_OP, TG_TABLE_NAME\n                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'never_deleted';\n        ",
                    hash="f1f6aeb4f4b0b962d14b8cb77b57e643d168641d",
                    operation="DELETE",
                    pgid="pgtrigger_never_deleted_9d31d",
                    table="payments_writeoff",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="writeoff",
            trigger=pgtrigger.compiler.Trigger(
                name="never_truncated",
                sql=config.triggers.GuardSql(
                    func="\n            RAISE EXCEPTION '% of % is refused: its rows are kept as they are', TG_OP, TG_TABLE_NAME\n                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'never_truncated';\n        ",
                    hash="00e3ba54ff34fc20e2784efe2615367736f31f52",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_never_truncated_ae109",
                    table="payments_writeoff",
                    when="BEFORE",
                ),
            ),
        ),
    ]
