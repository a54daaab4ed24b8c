"""Who may call, by role."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.api.permissions import IsBackOffice, IsFinance, IsModerator
from tests.factories.accounts import AdminFactory, FinanceFactory, ModeratorFactory, UserFactory


def admitted(permission, user) -> bool:
    request = Request(RequestFactory().get("/"))
    request.user = user
    return permission().has_permission(request, APIView())


@pytest.mark.parametrize(
    ("make", "moderator", "finance", "back_office"),
    [
        (UserFactory, False, False, False),
        (ModeratorFactory, True, False, True),
        (FinanceFactory, False, True, True),
        (AdminFactory, True, True, True),
        (AnonymousUser, False, False, False),
    ],
)
def test_each_role_passes_its_own_doors(db, make, moderator, finance, back_office):
    user = make()

    assert [admitted(door, user) for door in (IsModerator, IsFinance, IsBackOffice)] == [
        moderator,
        finance,
        back_office,
    ]
