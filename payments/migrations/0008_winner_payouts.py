"""Prizes are paid out to players, by hand or by a provider; what was paid too much, and where to pay."""

import uuid

import django.db.models.deletion
import pgtrigger.compiler
from django.conf import settings
from django.db import migrations, models

import config.clock
import config.triggers

# A payout was of one entry: of two of a player and booking, the later one follows the earlier.
OF_ONE_ENTRY = """
    UPDATE payments_payout SET won_cents = amount_cents;
    UPDATE payments_payout p SET replaces_id = o.earlier FROM (
        SELECT id, lag(id) OVER (PARTITION BY booking_id, player_id ORDER BY id) AS earlier FROM payments_payout
    ) o WHERE o.id = p.id AND o.earlier IS NOT NULL;
"""
# Going back, it is of the first entry that won.
ENTRY_AGAIN = """
    UPDATE payments_payout p SET entry_id = (
        SELECT min(e.id) FROM entries_entry e JOIN payments_prizebooking b ON b.prizes ? e.id::text
        WHERE b.id = p.booking_id AND e.user_id = p.player_id
    );
"""


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0007_queue"),
        ("pools", "0004_money_guards"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="PayoutAccount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("provider", models.CharField(max_length=20)),
                (
                    "reference",
                    models.CharField(help_text="The provider's own name of the account: acct_…", max_length=255),
                ),
                (
                    "note",
                    models.CharField(
                        blank=True, default="", help_text="How it was made sure that it is theirs.", max_length=300
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("recorded", "Recorded"),
                            ("confirmed", "Confirmed"),
                            ("rejected", "Rejected"),
                            ("retired", "Retired"),
                        ],
                        default="recorded",
                        max_length=10,
                    ),
                ),
                ("recorded_at", models.DateTimeField(db_default=config.clock.ClockTimestamp())),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("reason", models.CharField(blank=True, db_default="", default="", max_length=500)),
            ],
            options={
                "ordering": ["-id"],
                "permissions": [
                    ("record_payout_account", "Can write down where a winner is paid"),
                    ("confirm_payout_account", "Can confirm where a winner is paid"),
                ],
            },
        ),
        migrations.CreateModel(
            name="PayoutAccountChange",
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
            name="PrizeCorrection",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("repaid", "The player sent it back"),
                            ("borne", "The house bears it"),
                            ("reclaimed", "The house has it back"),
                            ("tax_released", "Withheld too much"),
                            ("came_back", "A part came back"),
                        ],
                        max_length=12,
                    ),
                ),
                ("amount_cents", models.PositiveBigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("livemode", models.BooleanField()),
                (
                    "reference",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="The provider's name of what came back.",
                        max_length=255,
                    ),
                ),
                ("reason", models.CharField(max_length=500)),
                (
                    "status",
                    models.CharField(
                        choices=[("requested", "Requested"), ("done", "Done"), ("declined", "Declined")],
                        default="requested",
                        max_length=10,
                    ),
                ),
                ("decision_reason", models.CharField(blank=True, db_default="", default="", max_length=500)),
                ("requested_at", models.DateTimeField(db_default=config.clock.ClockTimestamp())),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["-id"],
                "permissions": [
                    ("request_prizecorrection", "Can ask for a correction of a prize"),
                    ("approve_prizecorrection", "Can approve a correction of a prize of another"),
                ],
            },
        ),
        migrations.CreateModel(
            name="PrizeCorrectionChange",
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
            model_name="manualrecord",
            name="manual_stays",
        ),
        config.triggers.RemoveGuard(
            model_name="payout",
            name="status_map",
        ),
        config.triggers.RemoveGuard(
            model_name="payout",
            name="payout_stays",
        ),
        config.triggers.RemoveGuard(
            model_name="payout",
            name="record_insert",
        ),
        config.triggers.RemoveGuard(
            model_name="payout",
            name="record_update",
        ),
        migrations.RemoveConstraint(
            model_name="manualrecord",
            name="manual_is_about_one_thing",
        ),
        migrations.RemoveConstraint(
            model_name="payout",
            name="payout_once",
        ),
        migrations.RemoveConstraint(
            model_name="payout",
            name="payout_status_known",
        ),
        migrations.RemoveConstraint(
            model_name="payout",
            name="payout_amounts",
        ),
        migrations.AlterField(
            model_name="payout",
            name="entry",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="payouts", to="entries.entry"
            ),
        ),
        migrations.RunSQL(migrations.RunSQL.noop, ENTRY_AGAIN),
        migrations.RemoveField(
            model_name="payout",
            name="entry",
        ),
        migrations.AddField(
            model_name="movement",
            name="payout",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="movements",
                to="payments.payout",
            ),
        ),
        migrations.AddField(
            model_name="payout",
            name="checked_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="payout",
            name="destination",
            field=models.CharField(
                blank=True, db_default="", default="", help_text="The player's account at the provider.", max_length=255
            ),
        ),
        migrations.AddField(
            model_name="payout",
            name="failure",
            field=models.CharField(blank=True, db_default="", default="", max_length=200),
        ),
        migrations.AddField(
            model_name="payout",
            name="key_number",
            field=models.PositiveSmallIntegerField(
                db_default=1, default=1, help_text="Part of the idempotency key; grows only after a definitive failure."
            ),
        ),
        migrations.AddField(
            model_name="payout",
            name="provider_reference",
            field=models.CharField(blank=True, db_default="", default="", max_length=255),
        ),
        migrations.AddField(
            model_name="payout",
            name="replaces",
            field=models.ForeignKey(
                blank=True,
                help_text="The payout of which this one sends again what came back.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="replacements",
                to="payments.payout",
            ),
        ),
        migrations.AddField(
            model_name="payout",
            name="sent_at",
            field=models.DateTimeField(blank=True, help_text="When the provider was first asked.", null=True),
        ),
        migrations.AddField(
            model_name="payout",
            name="won_cents",
            field=models.PositiveBigIntegerField(
                default=0, help_text="All that the player had won in the pool by this booking."
            ),
            preserve_default=False,
        ),
        migrations.RunSQL(OF_ONE_ENTRY, migrations.RunSQL.noop),
        migrations.AddField(
            model_name="taxform",
            name="tin_last_four",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="The last four characters of the tax number on it; the number itself is not kept here.",
                max_length=4,
            ),
        ),
        migrations.AlterField(
            model_name="movement",
            name="kind",
            field=models.CharField(
                choices=[
                    ("charge", "Charge"),
                    ("refund", "Refund"),
                    ("refund_failure", "Refund failure"),
                    ("dispute", "Dispute"),
                    ("dispute_reversal", "Dispute reversal"),
                    ("payout", "Payout"),
                    ("payout_reversal", "Payout reversal"),
                    ("transfer", "Transfer"),
                    ("transfer_reversal", "Transfer reversal"),
                    ("other", "Other"),
                ],
                max_length=20,
            ),
        ),
        migrations.AlterField(
            model_name="payout",
            name="amount_cents",
            field=models.PositiveBigIntegerField(
                help_text="What is paid out of it, before any tax that is withheld: less than was won where some was paid."
            ),
        ),
        migrations.AlterField(
            model_name="payout",
            name="ref",
            field=models.UUIDField(
                default=uuid.uuid4, editable=False, help_text="Our name for it at the provider.", unique=True
            ),
        ),
        migrations.AlterField(
            model_name="payout",
            name="status",
            field=models.CharField(
                choices=[
                    ("requested", "Requested"),
                    ("approved", "Approved"),
                    ("sending", "Sending"),
                    ("unknown", "Unknown"),
                    ("paid", "Paid"),
                    ("failed", "Failed"),
                    ("returned", "Returned"),
                    ("cancelled", "Cancelled"),
                ],
                default="requested",
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="stagedmovement",
            name="kind",
            field=models.CharField(
                choices=[
                    ("charge", "Charge"),
                    ("refund", "Refund"),
                    ("refund_failure", "Refund failure"),
                    ("dispute", "Dispute"),
                    ("dispute_reversal", "Dispute reversal"),
                    ("payout", "Payout"),
                    ("payout_reversal", "Payout reversal"),
                    ("transfer", "Transfer"),
                    ("transfer_reversal", "Transfer reversal"),
                    ("other", "Other"),
                ],
                max_length=20,
            ),
        ),
        migrations.AlterField(
            model_name="taxform",
            name="valid_through_year",
            field=models.PositiveSmallIntegerField(
                blank=True,
                help_text="The last year of payments that it is good for; empty: until a newer one.",
                null=True,
            ),
        ),
        migrations.AddIndex(
            model_name="payout",
            index=models.Index(
                condition=models.Q(("status__in", ("approved", "sending", "unknown"))),
                fields=["checked_at", "id"],
                name="payout_unfinished",
            ),
        ),
        config.triggers.AddGuard(
            model_name="manualrecord",
            trigger=pgtrigger.compiler.Trigger(
                name="manual_stays",
                sql=config.triggers.GuardSql(
                    func="\n                    IF (NEW.payment_id, NEW.refund_id, NEW.payout_id, NEW.correction_id, NEW.method,\n                        NEW.reference, NEW.amount_cents, NEW.currency, NEW.passed_at,\n                        NEW.note, NEW.recorded_by_id, NEW.recorded_at)\n                       IS DISTINCT FROM (OLD.payment_id, OLD.refund_id, OLD.payout_id, OLD.correction_id,\n                        OLD.method, OLD.reference, OLD.amount_cents, OLD.currency, OLD.passed_at,\n                        OLD.note, OLD.recorded_by_id, OLD.recorded_at)\n                       OR OLD.status <> 'recorded' AND (NEW.decided_by_id, NEW.decided_at, NEW.decision_reason)\n                       IS DISTINCT FROM (OLD.decided_by_id, OLD.decided_at, OLD.decision_reason) THEN\n                        RAISE EXCEPTION 'what was recorded is kept as it was written'\n                            USING ERRCODE = 'check_violation', CONSTRAINT = 'manual_stays';\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="b82221c76a89b03fb9763dfd46bc14173ef84a26",
                    operation="UPDATE",
                    pgid="pgtrigger_manual_stays_c8221",
                    table="payments_manualrecord",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="payout",
            trigger=pgtrigger.compiler.Trigger(
                name="status_map",
                sql=config.triggers.GuardSql(
                    condition="WHEN (OLD.status IS DISTINCT FROM NEW.status)",
                    func="\n            IF NOT (OLD.status || '>' || NEW.status = ANY(ARRAY['requested>approved', 'requested>cancelled', 'approved>sending', 'approved>paid', 'approved>cancelled', 'sending>unknown', 'sending>paid', 'sending>failed', 'unknown>paid', 'unknown>failed', 'paid>returned']::text[])) THEN\n                RAISE EXCEPTION '% cannot go from % to %', TG_TABLE_NAME, OLD.status, NEW.status\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'status_map';\n            END IF;\n            RETURN NEW;\n        ",
                    hash="e82133c95afc341311778fcbc3bffc83ab959ac9",
                    operation='UPDATE OF "status"',
                    pgid="pgtrigger_status_map_72c4e",
                    table="payments_payout",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="payout",
            trigger=pgtrigger.compiler.Trigger(
                name="within_prize",
                sql=config.triggers.GuardSql(
                    declare="DECLARE made record; won bigint; given bigint; back bigint; old record;",
                    func="\n                    SELECT pool_id, currency INTO made FROM payments_prizebooking WHERE id = NEW.booking_id;\n                    PERFORM 1 FROM pools_pool WHERE id = made.pool_id FOR NO KEY UPDATE;\n                    IF NEW.currency <> made.currency THEN\n                        RAISE EXCEPTION 'a payout is of the currency of its prize'\n                            USING ERRCODE = 'check_violation', CONSTRAINT = 'payout_of_its_prize';\n                    END IF;\n                    IF NEW.replaces_id IS NOT NULL THEN\n                        SELECT p.player_id, b.pool_id INTO old FROM payments_payout p\n                            JOIN payments_prizebooking b ON b.id = p.booking_id WHERE p.id = NEW.replaces_id;\n                        IF (old.player_id, old.pool_id) IS DISTINCT FROM (NEW.player_id, made.pool_id) THEN\n                            RAISE EXCEPTION 'a payout replaces one of the same player and pool'\n                                USING ERRCODE = 'check_violation', CONSTRAINT = 'payout_of_its_prize';\n                        END IF;\n                    END IF;\n                    SELECT coalesce(sum((b.prizes ->> e.id::text)::bigint), 0) INTO won\n                        FROM entries_entry e\n                        JOIN payments_prizebooking b ON b.pool_id = made.pool_id AND b.prizes ? e.id::text\n                        WHERE e.pool_id = made.pool_id AND e.user_id = NEW.player_id AND b.number = (\n                            SELECT max(number) FROM payments_prizebooking WHERE pool_id = made.pool_id);\n                    SELECT coalesce(sum(p.amount_cents), 0), coalesce(sum((\n                            SELECT sum(c.amount_cents) FROM payments_prizecorrection c WHERE c.payout_id = p.id\n                                AND c.status = 'done' AND c.kind IN ('tax_released', 'came_back'))), 0)\n                        INTO given, back\n                        FROM payments_payout p JOIN payments_prizebooking b ON b.id = p.booking_id\n                        WHERE b.pool_id = made.pool_id AND p.player_id = NEW.player_id\n                            AND p.status IN ('requested', 'approved', 'sending', 'unknown', 'paid');\n                    SELECT back + coalesce(sum(amount_cents), 0) INTO back FROM payments_prizecorrection\n                        WHERE pool_id = made.pool_id AND player_id = NEW.player_id\n                            AND status = 'done' AND kind = 'repaid';\n                    IF NEW.status IN ('requested', 'approved', 'sending', 'unknown', 'paid')\n                       AND given - back + NEW.amount_cents > won THEN\n                        RAISE EXCEPTION 'payouts of % would exceed the prize of %', given - back + NEW.amount_cents, won\n                            USING ERRCODE = 'check_violation', CONSTRAINT = 'payout_within_prize';\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="a92a1df9536c79634986fcda6a8d0a8dd404bdcc",
                    operation="INSERT",
                    pgid="pgtrigger_within_prize_22a6d",
                    table="payments_payout",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="payout",
            trigger=pgtrigger.compiler.Trigger(
                name="payout_stays",
                sql=config.triggers.GuardSql(
                    func="\n                    IF (NEW.ref, NEW.booking_id, NEW.player_id, NEW.replaces_id, NEW.provider, NEW.destination,\n                        NEW.livemode, NEW.won_cents, NEW.amount_cents, NEW.withheld_cents, NEW.currency,\n                        NEW.requested_by_id)\n                       IS DISTINCT FROM (OLD.ref, OLD.booking_id, OLD.player_id, OLD.replaces_id, OLD.provider,\n                        OLD.destination, OLD.livemode, OLD.won_cents, OLD.amount_cents, OLD.withheld_cents,\n                        OLD.currency, OLD.requested_by_id)\n                       OR OLD.provider_reference <> '' AND OLD.provider_reference <> NEW.provider_reference\n                       OR OLD.approved_by_id IS NOT NULL AND OLD.approved_by_id IS DISTINCT FROM NEW.approved_by_id THEN\n                        RAISE EXCEPTION 'what a payout is, and how much, never changes'\n                            USING ERRCODE = 'check_violation', CONSTRAINT = 'payout_stays';\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="50baa9ddcff557cc0401f7884424c64d81fffab3",
                    operation="UPDATE",
                    pgid="pgtrigger_payout_stays_34e58",
                    table="payments_payout",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="payout",
            trigger=pgtrigger.compiler.Trigger(
                name="record_insert",
                sql=config.triggers.GuardSql(
                    func="INSERT INTO payments_payoutchange (subject_id, from_status, to_status, details, at, actor_id, reason) SELECT n.id, '', n.status, jsonb_build_object('approved_by_id', n.approved_by_id, 'provider_reference', n.provider_reference, 'failure', n.failure, 'key_number', n.key_number), clock_timestamp(), nullif(current_setting('outlast.actor', true), '')::bigint, coalesce(current_setting('outlast.reason', true), '') FROM new_rows n ; RETURN NULL;",
                    hash="dd2fe3949b5a7623ced75b3119ce40b2e8502b3c",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_record_insert_9d969",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="payments_payout",
                    when="AFTER",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="payout",
            trigger=pgtrigger.compiler.Trigger(
                name="record_update",
                sql=config.triggers.GuardSql(
                    func="\n        IF (SELECT count(*) FROM (SELECT 1 FROM new_rows LIMIT 2) few) < 2 THEN\n            INSERT INTO payments_payoutchange (subject_id, from_status, to_status, details, at, actor_id, reason) SELECT n.id, o.status, n.status, jsonb_build_object('approved_by_id', n.approved_by_id, 'provider_reference', n.provider_reference, 'failure', n.failure, 'key_number', n.key_number), clock_timestamp(), nullif(current_setting('outlast.actor', true), '')::bigint, coalesce(current_setting('outlast.reason', true), '') FROM new_rows n JOIN old_rows o USING (id) WHERE o.status IS DISTINCT FROM n.status OR o.approved_by_id IS DISTINCT FROM n.approved_by_id OR o.provider_reference IS DISTINCT FROM n.provider_reference OR o.failure IS DISTINCT FROM n.failure OR o.key_number IS DISTINCT FROM n.key_number;\n        ELSE\n            EXECUTE $statement$INSERT INTO payments_payoutchange (subject_id, from_status, to_status, details, at, actor_id, reason) SELECT n.id, o.status, n.status, jsonb_build_object('approved_by_id', n.approved_by_id, 'provider_reference', n.provider_reference, 'failure', n.failure, 'key_number', n.key_number), clock_timestamp(), nullif(current_setting('outlast.actor', true), '')::bigint, coalesce(current_setting('outlast.reason', true), '') FROM new_rows n JOIN old_rows o USING (id) WHERE o.status IS DISTINCT FROM n.status OR o.approved_by_id IS DISTINCT FROM n.approved_by_id OR o.provider_reference IS DISTINCT FROM n.provider_reference OR o.failure IS DISTINCT FROM n.failure OR o.key_number IS DISTINCT FROM n.key_number$statement$;\n        END IF;\n     RETURN NULL;",
                    hash="39f6be1bf97475b4eb632f11f6c226b927557320",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_record_update_8c0d1",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="payments_payout",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="payout",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("replaces__isnull", True), ("status__in", ("requested", "approved", "sending", "unknown", "paid"))
                ),
                fields=("booking", "player"),
                name="payout_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="payout",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status__in", ("requested", "approved", "sending", "unknown", "paid"))),
                fields=("replaces",),
                name="payout_replaced_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="payout",
            constraint=models.UniqueConstraint(
                condition=models.Q(("provider_reference", ""), _negated=True),
                fields=("provider", "provider_reference"),
                name="payout_reference_unique",
            ),
        ),
        migrations.AddConstraint(
            model_name="payout",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "status__in",
                        ["requested", "approved", "sending", "unknown", "paid", "failed", "returned", "cancelled"],
                    )
                ),
                name="payout_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="payout",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("amount_cents__gt", 0),
                    ("amount_cents__lte", models.F("won_cents")),
                    ("withheld_cents__lte", models.F("amount_cents")),
                ),
                name="payout_amounts",
            ),
        ),
        migrations.AddConstraint(
            model_name="payout",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("destination", ""),
                        ("provider", "manual"),
                        models.Q(("status__in", ("sending", "unknown", "failed")), _negated=True),
                    ),
                    models.Q(
                        models.Q(("provider", "manual"), _negated=True), models.Q(("destination", ""), _negated=True)
                    ),
                    _connector="OR",
                ),
                name="payout_destination",
            ),
        ),
        migrations.AddConstraint(
            model_name="payout",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status__in", ("paid", "returned")), _negated=True),
                    ("paid_at__isnull", False),
                    _connector="OR",
                ),
                name="payout_paid_when",
            ),
        ),
        migrations.AddConstraint(
            model_name="taxform",
            constraint=models.CheckConstraint(
                condition=models.Q(("tin_last_four__regex", "^([0-9A-Za-z]{4})?$")), name="tax_form_tin"
            ),
        ),
        migrations.AddField(
            model_name="payoutaccount",
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
            model_name="payoutaccount",
            name="player",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="payout_accounts", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="payoutaccount",
            name="recorded_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        config.triggers.AddGuard(
            model_name="payoutaccountchange",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=config.triggers.GuardSql(
                    func="\n            RAISE EXCEPTION '% of % is refused: its rows are kept as they are', TG_OP, TG_TABLE_NAME\n                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'append_only';\n        ",
                    hash="2407ec75bf2f1d978b3b7e01f6cd517f3ef3d51f",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_55014",
                    table="payments_payoutaccountchange",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="payoutaccountchange",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only_truncate",
                sql=config.triggers.GuardSql(
                    func="\n            RAISE EXCEPTION '% of % is refused: its rows are kept as they are', TG_OP, TG_TABLE_NAME\n                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'append_only_truncate';\n        ",
                    hash="68d0ec26f0ee6eb1b5d440c2941b4fcad4e63b70",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_append_only_truncate_fbe8c",
                    table="payments_payoutaccountchange",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddField(
            model_name="prizecorrection",
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
            model_name="prizecorrection",
            name="payout",
            field=models.ForeignKey(
                blank=True,
                help_text="The payout that it is a part of; empty where it is about all that was paid.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="corrections",
                to="payments.payout",
            ),
        ),
        migrations.AddField(
            model_name="prizecorrection",
            name="player",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="prize_corrections",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="prizecorrection",
            name="pool",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="prize_corrections", to="pools.pool"
            ),
        ),
        migrations.AddField(
            model_name="prizecorrection",
            name="requested_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="manualrecord",
            name="correction",
            field=models.OneToOneField(
                blank=True,
                help_text="A prize, or a part of one, that its winner sent back.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="manual_record",
                to="payments.prizecorrection",
            ),
        ),
        migrations.AddConstraint(
            model_name="manualrecord",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("correction__isnull", True),
                        ("payment__isnull", False),
                        ("payout__isnull", True),
                        ("refund__isnull", True),
                    ),
                    models.Q(
                        ("correction__isnull", True),
                        ("payment__isnull", True),
                        ("payout__isnull", True),
                        ("refund__isnull", False),
                    ),
                    models.Q(
                        ("correction__isnull", True),
                        ("payment__isnull", True),
                        ("payout__isnull", False),
                        ("refund__isnull", True),
                    ),
                    models.Q(
                        ("correction__isnull", False),
                        ("payment__isnull", True),
                        ("payout__isnull", True),
                        ("refund__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="manual_is_about_one_thing",
            ),
        ),
        config.triggers.AddGuard(
            model_name="prizecorrectionchange",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=config.triggers.GuardSql(
                    func="\n            RAISE EXCEPTION '% of % is refused: its rows are kept as they are', TG_OP, TG_TABLE_NAME\n                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'append_only';\n        ",
                    hash="519dffd5753755b8acdf6dc5ad275f6540e6f64a",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_b1db0",
                    table="payments_prizecorrectionchange",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="prizecorrectionchange",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only_truncate",
                sql=config.triggers.GuardSql(
                    func="\n            RAISE EXCEPTION '% of % is refused: its rows are kept as they are', TG_OP, TG_TABLE_NAME\n                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'append_only_truncate';\n        ",
                    hash="fe11733abfa5b885129411a7d26fe4f21afc6586",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_append_only_truncate_a11a2",
                    table="payments_prizecorrectionchange",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="payoutaccount",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "confirmed")),
                fields=("player", "provider"),
                name="payout_account_in_use_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="payoutaccount",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["recorded", "confirmed", "rejected", "retired"])),
                name="payout_account_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="payoutaccount",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("provider", "manual"), _negated=True),
                    models.Q(("provider", ""), _negated=True),
                    models.Q(("reference", ""), _negated=True),
                ),
                name="payout_account_is_named",
            ),
        ),
        migrations.AddConstraint(
            model_name="payoutaccount",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status__in", ("confirmed", "retired")), _negated=True),
                    models.Q(
                        ("decided_by__isnull", False), models.Q(("decided_by", models.F("recorded_by")), _negated=True)
                    ),
                    _connector="OR",
                ),
                name="payout_account_two_names",
            ),
        ),
        migrations.AddConstraint(
            model_name="payoutaccount",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("recorded_by__isnull", True),
                        models.Q(("recorded_by", models.F("player")), _negated=True),
                        _connector="OR",
                    ),
                    models.Q(
                        ("decided_by__isnull", True),
                        models.Q(("decided_by", models.F("player")), _negated=True),
                        _connector="OR",
                    ),
                ),
                name="payout_account_not_ones_own",
            ),
        ),
        config.triggers.AddGuard(
            model_name="payoutaccount",
            trigger=pgtrigger.compiler.Trigger(
                name="status_map",
                sql=config.triggers.GuardSql(
                    condition="WHEN (OLD.status IS DISTINCT FROM NEW.status)",
                    func="\n            IF NOT (OLD.status || '>' || NEW.status = ANY(ARRAY['recorded>confirmed', 'recorded>rejected', 'confirmed>retired']::text[])) THEN\n                RAISE EXCEPTION '% cannot go from % to %', TG_TABLE_NAME, OLD.status, NEW.status\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'status_map';\n            END IF;\n            RETURN NEW;\n        ",
                    hash="cb8f8cfb872f817a8b9e46d89055a6137bb17be5",
                    operation='UPDATE OF "status"',
                    pgid="pgtrigger_status_map_ca541",
                    table="payments_payoutaccount",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="payoutaccount",
            trigger=pgtrigger.compiler.Trigger(
                name="payout_account_stays",
                sql=config.triggers.GuardSql(
                    func="\n                    IF (NEW.player_id, NEW.provider, NEW.reference, NEW.note, NEW.recorded_by_id)\n                       IS DISTINCT FROM (OLD.player_id, OLD.provider, OLD.reference, OLD.note, OLD.recorded_by_id)\n                       OR OLD.decided_by_id IS NOT NULL AND NEW.decided_by_id IS DISTINCT FROM OLD.decided_by_id THEN\n                        RAISE EXCEPTION 'another account is another row'\n                            USING ERRCODE = 'check_violation', CONSTRAINT = 'payout_account_stays';\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="03fcf07954dd78bfe538c15123604ba863f6d441",
                    operation="UPDATE",
                    pgid="pgtrigger_payout_account_stays_27202",
                    table="payments_payoutaccount",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="payoutaccount",
            trigger=pgtrigger.compiler.Trigger(
                name="record_insert",
                sql=config.triggers.GuardSql(
                    func="INSERT INTO payments_payoutaccountchange (subject_id, from_status, to_status, details, at, actor_id, reason) SELECT n.id, '', n.status, jsonb_build_object('decided_by_id', n.decided_by_id), clock_timestamp(), nullif(current_setting('outlast.actor', true), '')::bigint, coalesce(current_setting('outlast.reason', true), '') FROM new_rows n ; RETURN NULL;",
                    hash="2eb874fae7102d51e4230ca2cee288331de2a12c",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_record_insert_f9a80",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="payments_payoutaccount",
                    when="AFTER",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="payoutaccount",
            trigger=pgtrigger.compiler.Trigger(
                name="record_update",
                sql=config.triggers.GuardSql(
                    func="\n        IF (SELECT count(*) FROM (SELECT 1 FROM new_rows LIMIT 2) few) < 2 THEN\n            INSERT INTO payments_payoutaccountchange (subject_id, from_status, to_status, details, at, actor_id, reason) SELECT n.id, o.status, n.status, jsonb_build_object('decided_by_id', n.decided_by_id), clock_timestamp(), nullif(current_setting('outlast.actor', true), '')::bigint, coalesce(current_setting('outlast.reason', true), '') FROM new_rows n JOIN old_rows o USING (id) WHERE o.status IS DISTINCT FROM n.status OR o.decided_by_id IS DISTINCT FROM n.decided_by_id;\n        ELSE\n            EXECUTE $statement$INSERT INTO payments_payoutaccountchange (subject_id, from_status, to_status, details, at, actor_id, reason) SELECT n.id, o.status, n.status, jsonb_build_object('decided_by_id', n.decided_by_id), clock_timestamp(), nullif(current_setting('outlast.actor', true), '')::bigint, coalesce(current_setting('outlast.reason', true), '') FROM new_rows n JOIN old_rows o USING (id) WHERE o.status IS DISTINCT FROM n.status OR o.decided_by_id IS DISTINCT FROM n.decided_by_id$statement$;\n        END IF;\n     RETURN NULL;",
                    hash="b72526943c72978236da236b83c6e2af18e8c128",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_record_update_ac782",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="payments_payoutaccount",
                    when="AFTER",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="payoutaccount",
            trigger=pgtrigger.compiler.Trigger(
                name="never_deleted",
                sql=config.triggers.GuardSql(
                    func="\n            RAISE EXCEPTION '% of % is refused: its rows are kept as they are', TG_OP, TG_TABLE_NAME\n                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'never_deleted';\n        ",
                    hash="ffb5bb91627491f949778f7b06760699c94ad411",
                    operation="DELETE",
                    pgid="pgtrigger_never_deleted_cc807",
                    table="payments_payoutaccount",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="payoutaccount",
            trigger=pgtrigger.compiler.Trigger(
                name="never_truncated",
                sql=config.triggers.GuardSql(
                    func="\n            RAISE EXCEPTION '% of % is refused: its rows are kept as they are', TG_OP, TG_TABLE_NAME\n                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'never_truncated';\n        ",
                    hash="213f0e0472b28be2ddc9b1c60a64341f1085d22a",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_never_truncated_29252",
                    table="payments_payoutaccount",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="prizecorrection",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "requested")),
                fields=("pool", "player"),
                name="prize_correction_at_a_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="prizecorrection",
            constraint=models.UniqueConstraint(
                condition=models.Q(("reference", ""), _negated=True),
                fields=("payout", "reference"),
                name="prize_correction_reference",
            ),
        ),
        migrations.AddConstraint(
            model_name="prizecorrection",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["requested", "done", "declined"])),
                name="prize_correction_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="prizecorrection",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["repaid", "borne", "reclaimed", "tax_released", "came_back"])),
                name="prize_correction_kind_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="prizecorrection",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_cents__gt", 0)), name="prize_correction_amount_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="prizecorrection",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind__in", ("tax_released", "came_back")), _negated=True),
                    ("payout__isnull", False),
                    _connector="OR",
                ),
                name="prize_correction_of_payout",
            ),
        ),
        migrations.AddConstraint(
            model_name="prizecorrection",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("kind__in", ("reclaimed", "came_back")),
                    models.Q(
                        ("requested_by__isnull", False),
                        models.Q(
                            models.Q(("status", "done"), _negated=True),
                            models.Q(
                                ("decided_by__isnull", False),
                                models.Q(("decided_by", models.F("requested_by")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                    ),
                    _connector="OR",
                ),
                name="prize_correction_two_names",
            ),
        ),
        config.triggers.AddGuard(
            model_name="prizecorrection",
            trigger=pgtrigger.compiler.Trigger(
                name="status_map",
                sql=config.triggers.GuardSql(
                    condition="WHEN (OLD.status IS DISTINCT FROM NEW.status)",
                    func="\n            IF NOT (OLD.status || '>' || NEW.status = ANY(ARRAY['requested>done', 'requested>declined']::text[])) THEN\n                RAISE EXCEPTION '% cannot go from % to %', TG_TABLE_NAME, OLD.status, NEW.status\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'status_map';\n            END IF;\n            RETURN NEW;\n        ",
                    hash="9436e202eeb4de048165b653fb27da8c410494c8",
                    operation='UPDATE OF "status"',
                    pgid="pgtrigger_status_map_60fdc",
                    table="payments_prizecorrection",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="prizecorrection",
            trigger=pgtrigger.compiler.Trigger(
                name="prize_correction_stays",
                sql=config.triggers.GuardSql(
                    func="\n                    IF (NEW.pool_id, NEW.player_id, NEW.payout_id, NEW.kind, NEW.amount_cents, NEW.currency,\n                        NEW.livemode, NEW.reference, NEW.reason, NEW.requested_by_id)\n                       IS DISTINCT FROM (OLD.pool_id, OLD.player_id, OLD.payout_id, OLD.kind, OLD.amount_cents,\n                        OLD.currency, OLD.livemode, OLD.reference, OLD.reason, OLD.requested_by_id)\n                       OR OLD.status <> 'requested' AND (NEW.decided_by_id, NEW.decided_at)\n                       IS DISTINCT FROM (OLD.decided_by_id, OLD.decided_at) THEN\n                        RAISE EXCEPTION 'what a correction is, and how much, never changes'\n                            USING ERRCODE = 'check_violation', CONSTRAINT = 'prize_correction_stays';\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="7d7e0b06c7854c5c86489f6b0acd4c3771d1789b",
                    operation="UPDATE",
                    pgid="pgtrigger_prize_correction_stays_17b74",
                    table="payments_prizecorrection",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="prizecorrection",
            trigger=pgtrigger.compiler.Trigger(
                name="record_insert",
                sql=config.triggers.GuardSql(
                    func="INSERT INTO payments_prizecorrectionchange (subject_id, from_status, to_status, details, at, actor_id, reason) SELECT n.id, '', n.status, jsonb_build_object('decided_by_id', n.decided_by_id), clock_timestamp(), nullif(current_setting('outlast.actor', true), '')::bigint, coalesce(current_setting('outlast.reason', true), '') FROM new_rows n ; RETURN NULL;",
                    hash="eadd1aad7c3a6f729c8c3c4a55b7916fb8bea0b4",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_record_insert_70cce",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="payments_prizecorrection",
                    when="AFTER",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="prizecorrection",
            trigger=pgtrigger.compiler.Trigger(
                name="record_update",
                sql=config.triggers.GuardSql(
                    func="\n        IF (SELECT count(*) FROM (SELECT 1 FROM new_rows LIMIT 2) few) < 2 THEN\n            INSERT INTO payments_prizecorrectionchange (subject_id, from_status, to_status, details, at, actor_id, reason) SELECT n.id, o.status, n.status, jsonb_build_object('decided_by_id', n.decided_by_id), clock_timestamp(), nullif(current_setting('outlast.actor', true), '')::bigint, coalesce(current_setting('outlast.reason', true), '') FROM new_rows n JOIN old_rows o USING (id) WHERE o.status IS DISTINCT FROM n.status OR o.decided_by_id IS DISTINCT FROM n.decided_by_id;\n        ELSE\n            EXECUTE $statement$INSERT INTO payments_prizecorrectionchange (subject_id, from_status, to_status, details, at, actor_id, reason) SELECT n.id, o.status, n.status, jsonb_build_object('decided_by_id', n.decided_by_id), clock_timestamp(), nullif(current_setting('outlast.actor', true), '')::bigint, coalesce(current_setting('outlast.reason', true), '') FROM new_rows n JOIN old_rows o USING (id) WHERE o.status IS DISTINCT FROM n.status OR o.decided_by_id IS DISTINCT FROM n.decided_by_id$statement$;\n        END IF;\n     RETURN NULL;",
                    hash="3dda4c995753f7c06d13ea2768953b615bfbee81",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_record_update_62a9e",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="payments_prizecorrection",
                    when="AFTER",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="prizecorrection",
            trigger=pgtrigger.compiler.Trigger(
                name="never_deleted",
                sql=config.triggers.GuardSql(
                    func="\n            RAISE EXCEPTION '% of % is refused: its rows are kept as they are', TG_OP, TG_TABLE_NAME\n                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'never_deleted';\n        ",
                    hash="46afd0d52842a5c0dc4e76e1934e681d9ea6c2eb",
                    operation="DELETE",
                    pgid="pgtrigger_never_deleted_71002",
                    table="payments_prizecorrection",
                    when="BEFORE",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="prizecorrection",
            trigger=pgtrigger.compiler.Trigger(
                name="never_truncated",
                sql=config.triggers.GuardSql(
                    func="\n            RAISE EXCEPTION '% of % is refused: its rows are kept as they are', TG_OP, TG_TABLE_NAME\n                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'never_truncated';\n        ",
                    hash="e92495d337be72815b483e79ecc70188d8c94118",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_never_truncated_21ab2",
                    table="payments_prizecorrection",
                    when="BEFORE",
                ),
            ),
        ),
    ]
