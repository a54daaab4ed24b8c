"""Lines of an entry are written, and looked at, at once: SET CONSTRAINTS asks for nothing early any more."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations

import config.triggers


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0007_manual"),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="journalentry",
            name="journal_balanced",
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="journalentry",
            trigger=pgtrigger.compiler.Trigger(
                name="journal_balanced",
                sql=config.triggers.GuardSql(
                    constraint="CONSTRAINT",
                    func="\n                    IF NEW.txid <> pg_current_xact_id() THEN\n                        RAISE EXCEPTION 'entry % names another transaction than its own', NEW.id\n                            USING ERRCODE = 'check_violation', CONSTRAINT = 'journal_sealed';\n                    END IF;\n                    IF NOT EXISTS (SELECT 1 FROM payments_posting WHERE journal_entry_id = NEW.id) THEN\n                        RAISE EXCEPTION 'entry % has no lines', NEW.id\n                            USING ERRCODE = 'check_violation', CONSTRAINT = 'journal_balanced';\n                    END IF;\n                    RETURN NULL;\n                ",
                    hash="18a917dfe74c7583852bc011738100ba5bcc14ee",
                    operation="INSERT",
                    pgid="pgtrigger_journal_balanced_89229",
                    table="payments_journalentry",
                    timing="DEFERRABLE INITIALLY DEFERRED",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="posting",
            name="journal_sealed",
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="posting",
            trigger=pgtrigger.compiler.Trigger(
                name="journal_sealed",
                sql=config.triggers.GuardSql(
                    declare="DECLARE first bigint; last bigint; total numeric;",
                    func="\n                    SELECT min(journal_entry_id), max(journal_entry_id), sum(amount) INTO first, last, total\n                        FROM new_rows;\n                    IF first < last THEN\n                        first := NULL;\n                        EXECUTE 'SELECT journal_entry_id, sum(amount) FROM new_rows GROUP BY 1 HAVING sum(amount) <> 0\n                                 LIMIT 1' INTO last, total;\n                        EXECUTE 'SELECT n.journal_entry_id FROM (SELECT DISTINCT journal_entry_id FROM new_rows) n\n                                 LEFT JOIN payments_journalentry j ON j.id = n.journal_entry_id\n                                 WHERE j.txid IS DISTINCT FROM pg_current_xact_id() LIMIT 1' INTO first;\n                    ELSIF (SELECT txid FROM payments_journalentry WHERE id = first)\n                        IS NOT DISTINCT FROM pg_current_xact_id() THEN\n                        first := NULL;\n                    END IF;\n                    IF first IS NOT NULL THEN\n                        RAISE EXCEPTION 'entry % is sealed: no line is added to it', first\n                            USING ERRCODE = 'check_violation', CONSTRAINT = 'journal_sealed';\n                    END IF;\n                    IF total <> 0 THEN\n                        RAISE EXCEPTION 'lines of entry % add up to %', last, total\n                            USING ERRCODE = 'check_violation', CONSTRAINT = 'journal_balanced';\n                    END IF;\n                    RETURN NULL;\n                ",
                    hash="a17b3d2e739eab746bb246debda86f90785c0798",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_journal_sealed_33884",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="payments_posting",
                    when="AFTER",
                ),
            ),
        ),
    ]
