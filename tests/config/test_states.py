"""A status moves along its map, in code and in the database."""

import pytest
from django.db import IntegrityError, connection, transaction

from config.errors import Code, InvalidTransition
from config.states import CORRECTION_SETTING
from entries.models import EntryStatus, Request, RequestStatus
from tests.factories.entries import EntryFactory, RequestFactory


def test_a_move_along_the_map_sets_the_status():
    request = Request(status=RequestStatus.PENDING)

    request.move_to(RequestStatus.APPROVED)

    assert request.status == RequestStatus.APPROVED


def test_a_move_off_the_map_is_refused_with_both_ends():
    request = Request(status=RequestStatus.REJECTED)

    with pytest.raises(InvalidTransition) as caught:
        request.move_to(RequestStatus.APPROVED)

    assert caught.value.code == Code.INVALID_TRANSITION
    assert caught.value.details == {"from": "rejected", "to": "approved"}
    assert request.status == RequestStatus.REJECTED


@pytest.mark.parametrize("start", [s for s in RequestStatus if s not in ("pending", "approved")])
@pytest.mark.parametrize("target", ["pending", "approved"])
def test_raw_sql_cannot_leave_a_terminal_state(db, start, target):
    request = RequestFactory()
    with connection.cursor() as cursor:
        if start == "expired":
            cursor.execute(
                "UPDATE entries_request SET status = 'approved', fee_cents = 1, currency = 'usd', decided_at = now()"
            )
        cursor.execute("UPDATE entries_request SET status = %s WHERE id = %s", [start, request.pk])
        with pytest.raises(IntegrityError, match="cannot go from"), transaction.atomic():
            cursor.execute("UPDATE entries_request SET status = %s WHERE id = %s", [target, request.pk])


def test_only_a_declared_correction_leads_back(db):
    entry = EntryFactory()
    back = "UPDATE entries_entry SET status = 'active', eliminated_round_number = NULL, eliminated_code = ''"
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE entries_entry SET status = 'eliminated', eliminated_round_number = 1, eliminated_code = 'pick_lost'"
        )
        with pytest.raises(IntegrityError), transaction.atomic():
            cursor.execute(back)
        cursor.execute("SELECT set_config(%s, 'a ruling', true)", [CORRECTION_SETTING])
        cursor.execute(back)

    entry.refresh_from_db()
    assert entry.status == EntryStatus.ACTIVE
