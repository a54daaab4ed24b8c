"""Labels of choices as a sentence begins: nothing for the database to do."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0004_ledger_keys"),
    ]

    operations = [
        migrations.AlterField(
            model_name="account",
            name="kind",
            field=models.CharField(
                choices=[
                    ("clearing", "Clearing"),
                    ("bank_in_transit", "Bank in transit"),
                    ("bank", "Bank"),
                    ("disputes_receivable", "Disputes receivable"),
                    ("suspense", "Suspense"),
                    ("unallocated", "Unallocated"),
                    ("prize_pot", "Prize pot"),
                    ("winnings_payable", "Winnings payable"),
                    ("refund_payable", "Refund payable"),
                    ("tax_withheld", "Tax withheld"),
                    ("fee_revenue", "Fee revenue"),
                    ("provider_fees", "Provider fees"),
                    ("dispute_fees", "Dispute fees"),
                    ("chargeback_loss", "Chargeback loss"),
                    ("goodwill", "Goodwill"),
                    ("waived_fees", "Waived fees"),
                    ("conversion", "Conversion"),
                    ("opening_equity", "Opening equity"),
                ],
                max_length=20,
            ),
        ),
        migrations.AlterField(
            model_name="discrepancy",
            name="kind",
            field=models.CharField(
                choices=[
                    ("missing_locally", "Missing locally"),
                    ("missing_at_provider", "Missing at provider"),
                    ("held_money", "Held money"),
                    ("duplicate_payment", "Duplicate payment"),
                    ("amount_mismatch", "Amount mismatch"),
                    ("currency_mismatch", "Currency mismatch"),
                    ("external_refund", "External refund"),
                    ("refund_failed", "Refund failed"),
                    ("refund_stuck", "Refund stuck"),
                    ("refund_unfunded", "Refund unfunded"),
                    ("refund_and_dispute", "Refund and dispute"),
                    ("dispute_deadline", "Dispute deadline"),
                    ("dispute_lost", "Dispute lost"),
                    ("dispute_unknown", "Dispute unknown"),
                    ("poison_webhook", "Poison webhook"),
                    ("signatures", "Signatures"),
                    ("livemode_leak", "Livemode leak"),
                    ("events_lost", "Events lost"),
                    ("unknown_movement", "Unknown movement"),
                    ("pot_short", "Pot short"),
                    ("payout_failed", "Payout failed"),
                    ("prize_overpaid", "Prize overpaid"),
                    ("not_booked", "Not booked"),
                ],
                max_length=30,
            ),
        ),
        migrations.AlterField(
            model_name="discrepancy",
            name="status",
            field=models.CharField(
                choices=[
                    ("open", "Open"),
                    ("acknowledged", "Acknowledged"),
                    ("resolved", "Resolved"),
                    ("written_off", "Written off"),
                ],
                default="open",
                max_length=12,
            ),
        ),
        migrations.AlterField(
            model_name="dispute",
            name="status",
            field=models.CharField(
                choices=[
                    ("warning_needs_response", "Warning needs response"),
                    ("warning_under_review", "Warning under review"),
                    ("warning_closed", "Warning closed"),
                    ("needs_response", "Needs response"),
                    ("under_review", "Under review"),
                    ("won", "Won"),
                    ("lost", "Lost"),
                    ("prevented", "Prevented"),
                    ("appeal_needs_response", "Appeal needs response"),
                    ("appeal_under_review", "Appeal under review"),
                    ("unknown", "Unknown"),
                ],
                max_length=30,
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
                    ("other", "Other"),
                ],
                max_length=20,
            ),
        ),
        migrations.AlterField(
            model_name="receipt",
            name="status",
            field=models.CharField(
                choices=[
                    ("allocated", "Allocated"),
                    ("unapplied", "Unapplied"),
                    ("returning", "Returning"),
                    ("returned", "Returned"),
                    ("charged_back", "Charged back"),
                ],
                max_length=12,
            ),
        ),
    ]
