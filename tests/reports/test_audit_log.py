"""The audit log leaves nothing out: whatever writes down who did something is read by it, as of a bound."""

from django.apps import apps

from config.audit import Change
from payments.reports.as_of import TABLES
from payments.reports.audit_log import ALL


def test_every_change_table_of_money_is_read_up_to_its_bound():
    changes = {
        model._meta.db_table for model in apps.get_app_config("payments").get_models() if issubclass(model, Change)
    }

    assert changes - set(TABLES.values()) == set()
    for name, table in TABLES.items():
        if table in changes:
            assert f"FROM {table} c WHERE c.id <= %(as_of_{name})s" in ALL, table
