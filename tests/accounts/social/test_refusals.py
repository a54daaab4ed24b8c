"""Who does not get in, and what the audit is told of it."""

from accounts.services.blocking import deactivate_user
from config.models import AuditEntry
from tests.accounts.social.conftest import PROFILE
from tests.accounts.social.test_signing_in import code_of
from tests.factories.accounts import AdminFactory, UserFactory


class TestRefusalsAreTold:
    """To the audit, once each, without an address."""

    def told(self):
        found = AuditEntry.objects.filter(action="sign_in.failed")
        return list(found.values_list("person_id", "actor_kind", "data"))

    def test_an_account_that_is_shut(self, browser):
        user = UserFactory(email="ada@example.test")
        deactivate_user(user=user, by=AdminFactory(), reason="asked to")

        assert code_of(browser.sign_in()) == (401, "INVALID_CREDENTIALS")
        assert self.told() == [(user.pk, "anonymous", {"why": "account", "provider": "local"})]

    def test_an_address_that_nobody_proved(self, browser):
        user = UserFactory(email="ada@example.test", email_verified_at=None)

        assert code_of(browser.sign_in()) == (403, "EMAIL_NOT_VERIFIED")
        assert self.told() == [(user.pk, "anonymous", {"why": "address", "provider": "local"})]

    def test_a_provider_that_vouches_for_nothing(self, browser):
        assert code_of(browser.sign_in(email="", email_verified="")) == (403, "EMAIL_NOT_VERIFIED")
        assert self.told() == [(None, "anonymous", {"why": "address", "provider": "local"})]

    def test_who_gets_in_is_no_failure(self, browser):
        """The control."""
        assert browser.sign_in(PROFILE)[0] == 200
        assert self.told() == []
