"""What client generators call an operation."""

import pytest

from config.api.names import name_of

CALLS = [
    ("GET", "/api/v1/pools", True, "listPools"),
    ("GET", "/api/v1/pools/{id}", False, "getPool"),
    ("POST", "/api/v1/pools", False, "createPool"),
    ("POST", "/api/v1/requests/{id}/approve", False, "approveRequest"),
    ("POST", "/api/v1/requests/approve", False, "approveRequests"),
    ("POST", "/api/v1/payments/{id}/refunds", False, "createPaymentRefund"),
    ("GET", "/api/v1/entries/{id}/picks/{number}", False, "getEntryPick"),
    ("GET", "/api/v1/pools/{id}/rounds/{number}/report.csv", False, "getPoolRoundReportCsv"),
    ("DELETE", "/api/v1/journal-batches/{id}", False, "deleteJournalBatch"),
    ("PATCH", "/api/v1/me", False, "updateMe"),
    ("GET", "/api/v1/me/documents", True, "listMyDocuments"),
    ("POST", "/api/v1/auth/register", False, "register"),
    ("POST", "/api/v1/auth/password/change", False, "changePassword"),
]


@pytest.mark.parametrize(("method", "path", "is_list", "name"), CALLS)
def test_method_and_address_make_a_name(method, path, is_list, name):
    assert name_of(method, path, is_list=is_list) == name
