"""Sign-ins that were refused, and tokens that came back."""

import pytest

from accounts.services.sessions import InvalidCredentials, refresh_session, sign_in
from accounts.services.tokens import TokenInvalid
from tests.factories.accounts import PASSWORD, UserFactory
from tests.support.counting import counted

pytestmark = pytest.mark.django_db(transaction=True)


def test_refused_sign_ins_are_counted():
    user = UserFactory(password=PASSWORD)
    before = counted("login_failed_total", because="credentials")
    for email, password in ((user.email, "not-the-right-one"), ("nobody@example.com", PASSWORD)):
        with pytest.raises(InvalidCredentials):
            sign_in(email=email, password=password)
    sign_in(email=user.email, password=PASSWORD)
    assert counted("login_failed_total", because="credentials") == before + 2


def test_a_token_that_comes_back_is_counted():
    user = UserFactory(password=PASSWORD)
    pair = sign_in(email=user.email, password=PASSWORD).pair
    before = counted("refresh_reuse_total")
    refresh_session(refresh=pair.refresh)
    assert counted("refresh_reuse_total") == before
    with pytest.raises(TokenInvalid):
        refresh_session(refresh=pair.refresh)
    assert counted("refresh_reuse_total") == before + 1
