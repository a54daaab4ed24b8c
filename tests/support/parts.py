"""Which tests run when: every day, with each commit (`slow`), or a twelfth of them with each commit (`sliced`).

A test or module that is slow in part says so itself, by its marks. Here are whole files and folders: where all tests of
a run are meant that leaves slow ones out, these are not even read, which saves each worker seconds.
"""

import os
from pathlib import Path

import pytest

from tests.support.running import ROOT

# Begun first: started last, one of them would keep all other workers waiting for the end.
LONG = (
    "tests/stack", "tests/entries/test_settlement_property.py", "tests/config/local/commands/test_up.py",
    "tests/payments/reconciliation/test_lost_day.py", "tests/races", "tests/replay", "tests/machine",
)  # fmt: skip
# Not of every day, but of every commit: pages in a browser, races, the catalogue of money, walks through every door,
# providers in trouble, our tools by themselves, whole seasons, plans of a big house, each guard without itself.
SLOW = (
    "tests/accounts/staff/test_entrance.py",
    "tests/browser/",
    "tests/cases/test_secrecy.py",
    "tests/catalogue/",
    "tests/clients/",
    "tests/accounts/social/test_races.py",
    "tests/config/local/",
    "tests/config/test_alerts.py",
    "tests/config/test_celery.py",
    "tests/config/test_http.py",
    "tests/config/test_metrics.py",
    "tests/config/test_reporting.py",
    "tests/config/test_languages.py",
    "tests/contract/test_calls.py",
    "tests/config/test_statements.py",
    "tests/config/test_telemetry.py",
    "tests/entries/test_constant_time.py",
    "tests/entries/test_import_plans.py",
    "tests/entries/test_page_changes.py",
    "tests/entries/rulings/test_rehearsals.py",
    "tests/entries/test_rooms.py",
    "tests/entries/test_secrecy.py",
    "tests/entries/test_tallies.py",
    "tests/entries/test_trigger_plans.py",
    "tests/exports/test_admin.py",
    "tests/exports/test_writing.py",
    "tests/machine/test_machine.py",
    "tests/mutation/test_database_guards.py",
    "tests/oracle/test_seasons.py",
    "tests/payments/ledger/test_checkpoints.py",
    "tests/payments/reconciliation/test_feed.py",
    "tests/payments/test_adoption.py",
    "tests/payments/test_buy_backs.py",
    "tests/payments/test_checkout_trouble.py",
    "tests/payments/test_disputes_admin_and_api.py",
    "tests/payments/test_disputes_and_refunds.py",
    "tests/payments/test_movements.py",
    "tests/payments/test_partial_losses.py",
    "tests/payments/test_prize_corrections.py",
    "tests/payments/test_reconcile.py",
    "tests/payments/test_provider_contract.py",
    "tests/payments/test_refund_trouble.py",
    "tests/payments/test_report_files.py",
    "tests/payments/test_winner_api.py",
    "tests/pools/feeds/test_seasons.py",
    "tests/pools/schedule/test_apply.py",
    "tests/races/",
    "tests/replay/",
    "tests/reports/test_accounting_files.py",
    "tests/reports/test_books_reports.py",
    "tests/security/matrix/",
    "tests/security/test_checklist_lists.py",
)
# Of these a part is tried with each commit, file by file: the tools of the house by themselves, kills, pages, crowds,
# whole seasons, plans of a big house.
SLICED = (
    "tests/browser/",
    "tests/config/live/test_crowd.py",
    "tests/config/local/",
    "tests/entries/test_import_plans.py",
    "tests/entries/test_settlement_property.py",
    "tests/entries/test_trigger_plans.py",
    "tests/exports/test_slot.py",
    "tests/oracle/test_seasons.py",
    "tests/payments/reconciliation/test_lost_day.py",
    "tests/payments/reconciliation/test_planted_there.py",
    "tests/payments/test_report_files.py",
    "tests/pools/schedule/test_source.py",
    "tests/races/test_letters.py",
    "tests/replay/",
    "tests/reports/test_accounting_files.py",
    "tests/security/matrix/test_actions.py",
    "tests/security/matrix/test_injection.py",
    "tests/security/matrix/test_lists.py",
    "tests/security/matrix/test_pages.py",
    "tests/security/test_checklist_tools.py",
    "tests/stack/test_alarms.py",
    "tests/stack/test_idle_connections.py",
    "tests/stack/test_killed_",
    "tests/stack/test_rolling_restarts.py",
)
# The same test by test: as one file they would make one part twice as long as the others.
SLICED_SINGLY = ("tests/security/matrix/test_nonsense",)


def of_other_slices(items: list[pytest.Item], wanted: str) -> list[pytest.Item]:
    """Those marked `sliced` that are not wanted now: `2/3` wants every third, beginning with the second.

    Of what is marked `sliced(by="file")`, whole files.
    """
    if not wanted:
        return []
    number, count = (int(part) for part in wanted.split("/"))
    marked = [(item, mark) for item in items if (mark := item.get_closest_marker("sliced"))]
    parts = {item: item.location[0] if mark.kwargs.get("by") == "file" else item.nodeid for item, mark in marked}
    places = {part: place for place, part in enumerate(dict.fromkeys(parts.values()))}
    return [item for item, part in parts.items() if places[part] % count != number - 1]


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """In the everyday run of everything; who names a file is told that its tests were left out."""
    is_everyday = config.option.markexpr == "not slow" and config.args == config.getini("testpaths")
    if not is_everyday or not collection_path.is_relative_to(ROOT):
        return None
    name = str(collection_path.relative_to(ROOT))
    return True if name.startswith(SLOW) or f"{name}/" in SLOW else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark, leave other slices out, and put the long ones first."""
    for item in items:
        if item.nodeid.startswith(SLOW):
            item.add_marker("slow")
        if item.nodeid.startswith(SLICED):
            item.add_marker(pytest.mark.sliced(by="file"))
        elif item.nodeid.startswith(SLICED_SINGLY):
            item.add_marker("sliced")
    if others := set(of_other_slices(items, os.environ.get("OUTLAST_SLICE", ""))):
        config.hook.pytest_deselected(items=list(others))
        items[:] = [item for item in items if item not in others]
    items.sort(key=lambda item: next((i for i, folder in enumerate(LONG) if item.nodeid.startswith(folder)), len(LONG)))
