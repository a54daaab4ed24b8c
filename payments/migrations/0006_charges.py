"""Receipts know whether their fee is known, and may come back from a lost dispute; open disputes are found."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

import config.triggers


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0005_inbox"),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="receipt",
            name="status_map",
        ),
        migrations.AddField(
            model_name="receipt",
            name="checked_at",
            field=models.DateTimeField(
                blank=True, help_text="When the provider was last asked what became of the charge.", null=True
            ),
        ),
        migrations.AddField(
            model_name="receipt",
            name="is_fee_known",
            field=models.BooleanField(
                db_default=False, default=False, help_text="The provider has told what it kept; until then it is asked."
            ),
        ),
        migrations.AlterField(
            model_name="discrepancy",
            name="kind",
            field=models.CharField(
                choices=[
                    ("missing_locally", "Missing Locally"),
                    ("missing_at_provider", "Missing At Provider"),
                    ("held_money", "Held Money"),
                    ("duplicate_payment", "Duplicate Payment"),
                    ("amount_mismatch", "Amount Mismatch"),
                    ("currency_mismatch", "Currency Mismatch"),
                    ("external_refund", "External Refund"),
                    ("refund_failed", "Refund Failed"),
                    ("refund_stuck", "Refund Stuck"),
                    ("refund_unfunded", "Refund Unfunded"),
                    ("refund_and_dispute", "Refund And Dispute"),
                    ("dispute_deadline", "Dispute Deadline"),
                    ("dispute_lost", "Dispute Lost"),
                    ("dispute_unknown", "Dispute Unknown"),
                    ("poison_webhook", "Poison Webhook"),
                    ("signatures", "Signatures"),
                    ("livemode_leak", "Livemode Leak"),
                    ("events_lost", "Events Lost"),
                    ("unknown_movement", "Unknown Movement"),
                    ("pot_short", "Pot Short"),
                    ("payout_failed", "Payout Failed"),
                    ("prize_overpaid", "Prize Overpaid"),
                    ("not_booked", "Not Booked"),
                ],
                max_length=30,
            ),
        ),
        migrations.AddIndex(
            model_name="dispute",
            index=models.Index(
                condition=models.Q(("status__in", ("won", "lost", "prevented", "warning_closed")), _negated=True),
                fields=["checked_at", "id"],
                name="dispute_open",
            ),
        ),
        migrations.AddIndex(
            model_name="receipt",
            index=models.Index(
                condition=models.Q(("is_fee_known", False)), fields=["checked_at", "id"], name="receipt_fee_unknown"
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="receipt",
            trigger=pgtrigger.compiler.Trigger(
                name="status_map",
                sql=config.triggers.GuardSql(
                    condition="WHEN (OLD.status IS DISTINCT FROM NEW.status)",
                    func="\n            IF NOT (OLD.status || '>' || NEW.status = ANY(ARRAY['unapplied>allocated', 'unapplied>returning', 'unapplied>returned', 'unapplied>charged_back', 'allocated>returning', 'allocated>returned', 'allocated>charged_back', 'returning>unapplied', 'returning>returned', 'returning>charged_back', 'returned>returning', 'returned>charged_back', 'charged_back>allocated', 'charged_back>unapplied', 'charged_back>returned']::text[])) THEN\n                RAISE EXCEPTION '% cannot go from % to %', TG_TABLE_NAME, OLD.status, NEW.status\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'status_map';\n            END IF;\n            RETURN NEW;\n        ",
                    hash="2a0d2d63213b8b7b7657c4da394b9e86c3e427de",
                    operation='UPDATE OF "status"',
                    pgid="pgtrigger_status_map_aec46",
                    table="payments_receipt",
                    when="BEFORE",
                ),
            ),
        ),
    ]
