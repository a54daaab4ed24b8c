"""The person who asks."""

from typing import cast

import strawberry
import strawberry_django
from rest_framework.exceptions import NotAuthenticated
from strawberry import auto

from accounts import models
from config.graphql.context import Asking
from config.graphql.fields import field
from config.graphql.scalars import BigInt
from config.graphql.scoping import reads

strawberry.enum(models.Role, name="Role")


def caller(info: Asking) -> models.User:
    """Who asks. Refuses who is not signed in: NOT_AUTHENTICATED."""
    viewer = info.context.viewer
    if not isinstance(viewer, models.User):
        raise NotAuthenticated
    return viewer


@reads("account:read")
@strawberry_django.type(models.User, name="Me", description="The own account.")
class Me:
    id: BigInt
    display_name: auto
    role: models.Role
    email_verified: bool


@strawberry.type
class AccountQuery:
    """What an account is asked."""

    @field("Who is signed in.")
    def me(self, info: Asking) -> Me | None:
        return cast(Me, caller(info))
