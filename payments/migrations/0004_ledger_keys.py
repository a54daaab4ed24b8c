"""What Django cannot say of the ledger: foreign keys of three columns, and the currencies of ISO 4217."""

from django.db import migrations

KEYS = """
    ALTER TABLE payments_posting
        ADD CONSTRAINT posting_of_its_entry FOREIGN KEY (journal_entry_id, currency_id, livemode)
            REFERENCES payments_journalentry (id, currency_id, livemode),
        ADD CONSTRAINT posting_on_its_account FOREIGN KEY (account_id, currency_id, livemode)
            REFERENCES payments_account (id, currency_id, livemode);
"""
NO_KEYS = """
    ALTER TABLE payments_posting DROP CONSTRAINT posting_of_its_entry, DROP CONSTRAINT posting_on_its_account;
"""

ZERO = "bif clp djf gnf isk jpy kmf krw mga pyg rwf ugx uyi vnd vuv xaf xof xpf"
THREE = "bhd iqd jod kwd lyd omr tnd"
TWO = """
    aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd btn bwp byn bzd cad cdf chf cny cop crc
    cup cve czk dkk dop dzd egp ern etb eur fjd fkp gbp gel ghs gip gmd gtq gyd hkd hnl htg huf idr ils inr irr jmd kes
    kgs khr kpw kyd kzt lak lbp lkr lrd lsl mad mdl mkd mmk mnt mop mru mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd
    pab pen pgk php pkr pln qar ron rsd rub sar sbd scr sdg sek sgd shp sle sos srd ssp stn svc syp szl thb tjs tmt top
    try ttd twd tzs uah usd uyu uzs ves wst xcd yer zar zmw
"""
# Stripe counts these in hundredths that do not exist.
HUNDREDFOLD = ("isk", "ugx")


def fill(apps, schema_editor):
    Currency = apps.get_model("payments", "Currency")
    exponents = {0: ZERO, 2: TWO, 3: THREE}
    Currency.objects.bulk_create(
        Currency(code=code, exponent=exponent, stripe_factor=100 if code in HUNDREDFOLD else 1)
        for exponent, codes in exponents.items()
        for code in codes.split()
    )


class Migration(migrations.Migration):
    dependencies = [("payments", "0003_money_back")]

    operations = [
        migrations.RunSQL(KEYS, NO_KEYS),
        # Going back, the table goes with its rows.
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
