"""A prize by hand that came back is in the bank a second time, the other way round."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

import config.triggers


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0012_large_sums_by_hand"),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="bankmatch",
            name="bank_match_fits",
        ),
        migrations.RemoveConstraint(
            model_name="bankmatch",
            name="bank_match_record_once",
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="bankmatch",
            trigger=pgtrigger.compiler.Trigger(
                name="bank_match_fits",
                sql=config.triggers.GuardSql(
                    declare="DECLARE of record; other record;",
                    func="\n                    SELECT l.status, l.currency, l.amount_cents, a.livemode INTO of\n                        FROM payments_bankline l JOIN payments_bankaccount a ON a.id = l.account_id\n                        WHERE l.id = NEW.line_id FOR NO KEY UPDATE OF l;\n                    IF of.status IS DISTINCT FROM 'waiting' THEN\n                        RAISE EXCEPTION 'line % is matched', NEW.line_id\n                            USING ERRCODE = 'check_violation', CONSTRAINT = 'bank_match_of_waiting';\n                    END IF;\n                    IF NEW.undone_at IS NOT NULL THEN\n                        RAISE EXCEPTION 'a match begins as one'\n                            USING ERRCODE = 'check_violation', CONSTRAINT = 'bank_match_undone';\n                    END IF;\n                    IF NEW.payout_id IS NOT NULL THEN\n                        -- It arrives with its own sign, and goes back with the other.\n                        SELECT currency, livemode, abs(amount_cents) * sign(NEW.amount_cents)::bigint AS cents\n                            INTO other FROM payments_providerpayout WHERE id = NEW.payout_id;\n                    ELSIF NEW.record_id IS NOT NULL THEN\n                        -- Out or in as it passed; a prize that came back is in the bank again.\n                        SELECT m.currency, coalesce(p.livemode, r.livemode, o.livemode, c.livemode) AS livemode,\n                               m.amount_cents * CASE WHEN o.status = 'returned' THEN sign(NEW.amount_cents)\n                                   WHEN m.refund_id IS NULL AND m.payout_id IS NULL THEN 1 ELSE -1 END::bigint AS cents\n                            INTO other FROM payments_manualrecord m\n                            LEFT JOIN payments_payment p ON p.id = m.payment_id\n                            LEFT JOIN payments_refund r ON r.id = m.refund_id\n                            LEFT JOIN payments_payout o ON o.id = m.payout_id\n                            LEFT JOIN payments_prizecorrection c ON c.id = m.correction_id\n                            WHERE m.id = NEW.record_id AND m.status = 'confirmed';\n                    ELSE\n                        RETURN NEW;\n                    END IF;\n                    IF (other.currency, other.livemode, other.cents)\n                       IS DISTINCT FROM (of.currency, of.livemode, NEW.amount_cents) THEN\n                        RAISE EXCEPTION 'a match is of the amount, currency and mode of both'\n                            USING ERRCODE = 'check_violation', CONSTRAINT = 'bank_match_fits';\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="5a42e29fd8c95aad82bd9e4560d648ad8290eded",
                    operation="INSERT",
                    pgid="pgtrigger_bank_match_fits_9874e",
                    table="payments_bankmatch",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="bankmatch",
            constraint=models.UniqueConstraint(
                models.F("record"),
                models.Func("amount_cents", function="sign"),
                condition=models.Q(("record__isnull", False), ("undone_at__isnull", True)),
                name="bank_match_record_once",
            ),
        ),
    ]
