"""Who may call, by role."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.api.permissions import IsFinance, IsModerator
from tests.factories.accounts import AdminFactory, FinanceFactory, ModeratorFactory, UserFactory


def admitted(permission, user) -> bool:
    request = Request(RequestFactory().get("/"))
    request.user = user
    return permission().has_permission(request, APIView())


@pytest.mark.parametrize(
    ("make", "moderator", "finance"),
    [
        (UserFactory, False, False),
        (ModeratorFactory, True, False),
        (FinanceFactory, False, True),
        (AdminFactory, True, True),
        (AnonymousUser, False, False),
    ],
)
def test_each_role_passes_its_own_doors(db, make, moderator, finance):
    user = make()

    assert [admitted(door, user) for door in (IsModerator, IsFinance)] == [moderator, finance]
