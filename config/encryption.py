"""Personal data at rest: columns whose text only this application can read.

A stored value is `<key id>.<Fernet token>`. The Fernet key is drawn (HKDF) from one of `PERSONAL_DATA_KEYS` and from
the name of the table and the column, so a value copied into another column cannot be read there. The first key
encrypts, all of them decrypt; `config.rotation` brings old rows to the first. The key's id is a hash of it and tells
in SQL which rows still wait.

An encrypted column cannot be searched, sorted or made unique: the same text is stored differently every time. The one
lookup is `isnull`. No error here carries a value, encrypted or not.
"""

import base64
import hashlib
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core import checks
from django.core.exceptions import FieldError
from django.db import models
from django.db.models.lookups import IsNull

if TYPE_CHECKING:
    _Field = models.Field[Any, Any]
    _TextField = models.TextField[Any, Any]
    _DateField = models.DateField[Any, Any]
else:
    _Field, _TextField, _DateField = models.Field, models.TextField, models.DateField

KEY_ID_LENGTH = 8
# PostgreSQL's regular expression of a stored value; every Fernet token begins with its version and the high bytes of
# its time.
STORED = f"^[0-9a-f]{{{KEY_ID_LENGTH}}}[.]gAAAAA[A-Za-z0-9_-]+=*$"


class Undecryptable(Exception):
    """A stored value is not ours, belongs to another column, or its key is no longer among `PERSONAL_DATA_KEYS`."""

    def __init__(self, place: str) -> None:
        super().__init__(f"A value of {place} cannot be decrypted with any of PERSONAL_DATA_KEYS.")


def key_id(key: str) -> str:
    """What a key is called in the stored values; tells nothing about it."""
    return hashlib.sha256(b"outlast key id:" + key.encode()).hexdigest()[:KEY_ID_LENGTH]


def current_key_id() -> str:
    """The id of the key that encrypts now."""
    return key_id(settings.PERSONAL_DATA_KEYS[0])


def encrypt(text: str, *, place: str) -> str:
    """The text for the column `place` (`table.column`), under the first key."""
    key: str = settings.PERSONAL_DATA_KEYS[0]
    return f"{key_id(key)}.{_cipher(key, place).encrypt(text.encode()).decode()}"


def decrypt(stored: str, *, place: str) -> str:
    """The text of a stored value of that column. Raises `Undecryptable`."""
    known_id, _, token = stored.partition(".")
    for key in settings.PERSONAL_DATA_KEYS:
        if key_id(key) == known_id:
            try:
                return _cipher(key, place).decrypt(token.encode()).decode()
            except InvalidToken:
                break
    # Outside of `except`: the cause would take the value into a crash report.
    raise Undecryptable(place)


@lru_cache(maxsize=256)
def _cipher(key: str, place: str) -> Fernet:
    derived = HKDF(hashes.SHA256(), length=32, salt=None, info=f"outlast personal data: {place}".encode())
    return Fernet(base64.urlsafe_b64encode(derived.derive(key.encode())))


class EncryptedField(_Field):
    """What encrypted columns have in common. The subclass says how a value becomes text and back."""

    def to_text(self, value: Any) -> str:
        """A value of the field, not None, as the text that is encrypted."""
        raise NotImplementedError

    def from_text(self, text: str) -> Any:
        """The value that was made into this text."""
        raise NotImplementedError

    @property
    def place(self) -> str:
        """The column's full name. Renaming it makes its values unreadable: re-encrypt them in the same migration."""
        return f"{self.model._meta.db_table}.{self.column}"

    def get_internal_type(self) -> str:
        """PostgreSQL keeps text."""
        return "TextField"

    def db_check(self, connection: Any) -> str:
        """The column takes nothing else, also of raw SQL: plain text is refused before it lies about."""
        return f"\"{self.column}\" ~ '{STORED}'"

    def get_prep_value(self, value: Any) -> str | None:
        """Encrypt on the way in; None stays NULL."""
        return None if value is None else encrypt(self.to_text(value), place=self.place)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        """As prepared: no adaption by the visible type."""
        return value if prepared else self.get_prep_value(value)

    def from_db_value(self, value: str | None, *_: Any) -> Any:
        """Decrypt on the way out."""
        return None if value is None else self.from_text(decrypt(value, place=self.place))

    def get_lookup(self, lookup_name: str) -> Any:
        """Only `isnull` can be answered."""
        return IsNull if lookup_name == "isnull" else None

    def get_transform(self, lookup_name: str) -> Any:
        """None: the database cannot look into the text."""
        return

    def select_format(self, compiler: Any, sql: str, params: Any) -> tuple[str, Any]:
        """As it stands: nothing of the visible type's."""
        return sql, params

    def check(self, **kwargs: Any) -> list[checks.CheckMessage]:
        """Refuse what encrypted text cannot do."""
        found = super().check(**kwargs)
        if self.primary_key or getattr(self, "db_index", False) or self.unique or self.choices:
            found.append(checks.Error("An encrypted field cannot be a key, indexed, unique or have choices.", obj=self))
        return found


class EncryptedTextField(EncryptedField, _TextField):
    """Text. Empty text is stored as it is given: encrypted, so that nobody sees who left it out."""

    def to_text(self, value: Any) -> str:
        return str(value)

    def from_text(self, text: str) -> str:
        return text


class EncryptedDateField(EncryptedField, _DateField):
    """A date."""

    def to_text(self, value: Any) -> str:
        found = self.to_python(value)
        if found is None:
            raise FieldError(f"{self.name} was given no date.")
        return date.isoformat(found)

    def from_text(self, text: str) -> date:
        return date.fromisoformat(text)


def encrypted_fields(model: type[models.Model]) -> list[EncryptedField]:
    """The encrypted columns of a model's own table."""
    return [field for field in model._meta.local_concrete_fields if isinstance(field, EncryptedField)]
