"""Who is at the page."""

from django.http import HttpRequest

from accounts.models import User


def staff(request: HttpRequest) -> User:
    """The person signed in to the back office."""
    assert isinstance(request.user, User)
    return request.user
