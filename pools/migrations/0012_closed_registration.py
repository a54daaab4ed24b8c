import pgtrigger.compiler
from django.db import migrations

import config.triggers


class Migration(migrations.Migration):
    dependencies = [
        ("pools", "0011_pages_planned_anew"),
    ]

    operations = [
        config.triggers.RemoveGuard(
            model_name="pool",
            name="record_insert",
        ),
        config.triggers.RemoveGuard(
            model_name="pool",
            name="record_update",
        ),
        config.triggers.AddGuard(
            model_name="pool",
            trigger=pgtrigger.compiler.Trigger(
                name="record_insert",
                sql=config.triggers.GuardSql(
                    func="INSERT INTO pools_poolchange (subject_id, from_status, to_status, details, at, actor_id, reason) SELECT n.id, '', n.status, jsonb_build_object('entry_fee_cents', n.entry_fee_cents, 'capacity', n.capacity, 'max_entries_per_user', n.max_entries_per_user, 'registration_closes_at', n.registration_closes_at, 'suspended_may_pick', n.suspended_may_pick, 'chargeback_bearer', n.chargeback_bearer), clock_timestamp(), nullif(current_setting('outlast.actor', true), '')::bigint, coalesce(current_setting('outlast.reason', true), '') FROM new_rows n ; RETURN NULL;",
                    hash="fb289f4fd8028a01a14f1711c347479968ed1f22",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_record_insert_38316",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="pools_pool",
                    when="AFTER",
                ),
            ),
        ),
        config.triggers.AddGuard(
            model_name="pool",
            trigger=pgtrigger.compiler.Trigger(
                name="record_update",
                sql=config.triggers.GuardSql(
                    func="\n        IF (SELECT count(*) FROM (SELECT 1 FROM new_rows LIMIT 2) few) < 2 THEN\n            INSERT INTO pools_poolchange (subject_id, from_status, to_status, details, at, actor_id, reason) SELECT n.id, o.status, n.status, jsonb_build_object('entry_fee_cents', n.entry_fee_cents, 'capacity', n.capacity, 'max_entries_per_user', n.max_entries_per_user, 'registration_closes_at', n.registration_closes_at, 'suspended_may_pick', n.suspended_may_pick, 'chargeback_bearer', n.chargeback_bearer), clock_timestamp(), nullif(current_setting('outlast.actor', true), '')::bigint, coalesce(current_setting('outlast.reason', true), '') FROM new_rows n JOIN old_rows o USING (id) WHERE o.status IS DISTINCT FROM n.status OR o.entry_fee_cents IS DISTINCT FROM n.entry_fee_cents OR o.capacity IS DISTINCT FROM n.capacity OR o.max_entries_per_user IS DISTINCT FROM n.max_entries_per_user OR o.registration_closes_at IS DISTINCT FROM n.registration_closes_at OR o.suspended_may_pick IS DISTINCT FROM n.suspended_may_pick OR o.chargeback_bearer IS DISTINCT FROM n.chargeback_bearer;\n        ELSE\n            EXECUTE $statement$INSERT INTO pools_poolchange (subject_id, from_status, to_status, details, at, actor_id, reason) SELECT n.id, o.status, n.status, jsonb_build_object('entry_fee_cents', n.entry_fee_cents, 'capacity', n.capacity, 'max_entries_per_user', n.max_entries_per_user, 'registration_closes_at', n.registration_closes_at, 'suspended_may_pick', n.suspended_may_pick, 'chargeback_bearer', n.chargeback_bearer), clock_timestamp(), nullif(current_setting('outlast.actor', true), '')::bigint, coalesce(current_setting('outlast.reason', true), '') FROM new_rows n JOIN old_rows o USING (id) WHERE o.status IS DISTINCT FROM n.status OR o.entry_fee_cents IS DISTINCT FROM n.entry_fee_cents OR o.capacity IS DISTINCT FROM n.capacity OR o.max_entries_per_user IS DISTINCT FROM n.max_entries_per_user OR o.registration_closes_at IS DISTINCT FROM n.registration_closes_at OR o.suspended_may_pick IS DISTINCT FROM n.suspended_may_pick OR o.chargeback_bearer IS DISTINCT FROM n.chargeback_bearer$statement$;\n        END IF;\n     RETURN NULL;",
                    hash="ae249abad42e046a8ba5a4f7031dff60f02e4b24",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_record_update_b8929",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="pools_pool",
                    when="AFTER",
                ),
            ),
        ),
    ]
