from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models.functions import Upper

BANK_LINE = ("text", "counterparty", "trace_id", "reference")


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("accounts", "0016_people_by_letters"),
        ("payments", "0022_what_players_paid_with"),
    ]

    operations = [
        AddIndexConcurrently("bankline", models.Index(fields=["-booked_on", "-id"], name="bank_line_newest")),
        AddIndexConcurrently(
            "bankline",
            GinIndex(*(OpClass(Upper(name), name="gin_trgm_ops") for name in BANK_LINE), name="bank_line_letters"),
        ),
        AddIndexConcurrently(
            "manualrecord", GinIndex(OpClass(Upper("reference"), name="gin_trgm_ops"), name="manual_letters")
        ),
        AddIndexConcurrently(
            "payout", GinIndex(OpClass(Upper("provider_reference"), name="gin_trgm_ops"), name="payout_letters")
        ),
        AddIndexConcurrently(
            "payoutaccount",
            GinIndex(OpClass(Upper("reference"), name="gin_trgm_ops"), name="payout_account_letters"),
        ),
    ]
