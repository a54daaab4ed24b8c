"""People for tests. Every one is of age and verified unless a test says otherwise."""

from datetime import UTC, date, datetime

import factory
from factory.django import DjangoModelFactory

from accounts.models import Role, User

PASSWORD = "correct horse battery staple"


class UserFactory(DjangoModelFactory[User]):
    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"player{n}@example.test")
    display_name = factory.Sequence(lambda n: f"Player {n}")
    date_of_birth = date(1990, 1, 1)
    country = "US"
    email_verified_at = datetime(2026, 1, 1, tzinfo=UTC)
    # Hashing costs 50 ms; a test that signs in asks for it with `password=PASSWORD`.
    password = "!"

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        password = kwargs.pop("password")
        user = model_class(*args, **kwargs)
        user.set_unusable_password() if password == "!" else user.set_password(password)
        user.save()
        return user


class ModeratorFactory(UserFactory):
    email = factory.Sequence(lambda n: f"moderator{n}@example.test")
    role = Role.MODERATOR
    is_staff = True


class FinanceFactory(UserFactory):
    email = factory.Sequence(lambda n: f"finance{n}@example.test")
    role = Role.FINANCE
    is_staff = True


class AdminFactory(UserFactory):
    email = factory.Sequence(lambda n: f"admin{n}@example.test")
    role = Role.ADMIN
    is_staff = True
    is_superuser = True
