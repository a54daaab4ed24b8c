"""What only the law, the bank and the person themselves need to know; encrypted at rest."""

from django.db import models

from accounts.models.user import User
from config.clock import ClockTimestamp
from config.encryption import EncryptedTextField
from config.locks import LockedQuerySet

LAST_SHOWN = 4


class PersonalDetails(models.Model):
    """Who somebody is to the tax office. At most one row for each person; gone when the account is closed."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="personal_details")
    legal_name = EncryptedTextField(help_text="As on papers.")
    tax_country = EncryptedTextField(help_text="ISO 3166-1 alpha-2 of the country that taxes the person.")
    tax_number = EncryptedTextField(blank=True, default="", help_text="As that country gives it; may be empty.")
    updated_at = models.DateTimeField(db_default=ClockTimestamp())

    objects = LockedQuerySet["PersonalDetails"].as_manager()

    class Meta:
        verbose_name_plural = "personal details"
        default_permissions = ()
        permissions = [("view_personal_details", "Can see dates of birth, legal names and tax numbers")]

    def __str__(self) -> str:
        return f"Personal details of user {self.user_id}"

    @property
    def has_tax_number(self) -> bool:
        """Whether one is on file."""
        return bool(self.tax_number)

    @property
    def tax_number_ends(self) -> str:
        """The last characters, where enough others stay hidden."""
        return self.tax_number[-LAST_SHOWN:] if len(self.tax_number) >= 2 * LAST_SHOWN else ""
