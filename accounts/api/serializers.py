"""Shapes of the account calls. What values mean, and which are refused, `accounts.services.details` says."""

from typing import Any

from rest_framework import serializers

from accounts.countries import countries
from accounts.models import User
from accounts.services.details import EMAIL_LENGTH, NAME_LENGTH, PASSWORD_LENGTH

# Nothing anybody typed; longer than any password or token of ours.
LONGEST_SECRET = 1024
# For the schema: what a service refuses beyond what the field does.
COUNTRIES = [(code, code) for code in sorted(countries())]
COUNTRY = {"enum": [code for code, _ in COUNTRIES]}
EMAIL = {"format": "email"}
# Nothing inside of it is a control character, and something can be seen. Space around it is cut off.
CONTROLS = r"\u0000-\u001f\u007f-\u009f"
NAME = {"pattern": rf"^\s*[^\s{CONTROLS}]([^{CONTROLS}]*[^\s{CONTROLS}])?\s*$"}
REGION = {"pattern": r"^\s*([A-Za-z0-9]+(-[A-Za-z0-9]+)*)?\s*$"}
NEW_PASSWORD = {"minLength": 10}


class UserOut(serializers.ModelSerializer[User]):
    """A person, as shown to themselves."""

    email_verified = serializers.BooleanField(read_only=True)

    class Meta:
        model = User
        fields = (
            "id",
            "email",
            "display_name",
            "role",
            "email_verified",
            "country",
            "region",
            "date_of_birth",
            "created_at",
        )
        read_only_fields = fields


class UserAnswer(serializers.Serializer[Any]):
    user = UserOut(read_only=True)


class PairOut(serializers.Serializer[Any]):
    access = serializers.CharField(help_text="Good for 10 minutes; sent as Authorization: Bearer.")
    refresh = serializers.CharField(help_text="Good for one refresh, within 30 days.")


class SignedInOut(PairOut):
    user = UserOut()


class RegisterBody(serializers.Serializer[Any]):
    email = serializers.CharField(max_length=EMAIL_LENGTH, help_text="Kept in lower case.")
    password = serializers.CharField(max_length=PASSWORD_LENGTH, trim_whitespace=False)
    display_name = serializers.CharField(max_length=NAME_LENGTH)
    date_of_birth = serializers.DateField()
    country = serializers.CharField(max_length=2, help_text="ISO 3166-1 alpha-2, as US.")
    region = serializers.CharField(
        max_length=10, required=False, allow_blank=True, default="", help_text="State or province, as NV."
    )

    values = {"email": EMAIL, "password": NEW_PASSWORD, "display_name": NAME, "country": COUNTRY, "region": REGION}


class TokenBody(serializers.Serializer[Any]):
    token = serializers.CharField(max_length=LONGEST_SECRET)


class EmailBody(serializers.Serializer[Any]):
    email = serializers.CharField(max_length=EMAIL_LENGTH)


class SignInBody(serializers.Serializer[Any]):
    email = serializers.CharField(max_length=EMAIL_LENGTH)
    password = serializers.CharField(max_length=LONGEST_SECRET, trim_whitespace=False)
    otp = serializers.CharField(
        max_length=20,
        required=False,
        allow_blank=True,
        allow_null=True,
        default="",
        help_text="The one-time code of a second factor, or a recovery code; refused while the account has none.",
    )


class ReauthenticateBody(serializers.Serializer[Any]):
    password = serializers.CharField(max_length=LONGEST_SECRET, trim_whitespace=False)
    otp = serializers.CharField(
        max_length=20, required=False, allow_blank=True, allow_null=True, default="", help_text="As at sign-in."
    )


class RefreshBody(serializers.Serializer[Any]):
    refresh = serializers.CharField(max_length=2 * LONGEST_SECRET)


class ChangePasswordBody(serializers.Serializer[Any]):
    current_password = serializers.CharField(max_length=LONGEST_SECRET, trim_whitespace=False)
    new_password = serializers.CharField(max_length=PASSWORD_LENGTH, trim_whitespace=False)

    values = {"new_password": NEW_PASSWORD}


class ChangeEmailBody(serializers.Serializer[Any]):
    email = serializers.CharField(max_length=EMAIL_LENGTH, help_text="The new one; kept in lower case.")
    password = serializers.CharField(max_length=LONGEST_SECRET, trim_whitespace=False)

    values = {"email": EMAIL}


class ResetConfirmBody(serializers.Serializer[Any]):
    token = serializers.CharField(max_length=LONGEST_SECRET)
    new_password = serializers.CharField(max_length=PASSWORD_LENGTH, trim_whitespace=False)

    values = {"new_password": NEW_PASSWORD}


class ProfileBody(serializers.Serializer[Any]):
    """What may be changed, all of it optional. Anything else is refused by name: a 200 that ignored it would lie."""

    display_name = serializers.CharField(max_length=NAME_LENGTH, required=False)
    country = serializers.CharField(max_length=2, required=False)
    region = serializers.CharField(max_length=10, required=False, allow_blank=True)
    date_of_birth = serializers.DateField(required=False, help_text="Only while there is none.")

    values = {"display_name": NAME, "country": COUNTRY, "region": REGION}
    examples = {"display_name": "Ann"}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse fields that cannot be changed here."""
        unknown = set(self.initial_data) - set(self.fields)
        if unknown:
            raise serializers.ValidationError({name: ["This cannot be changed here."] for name in sorted(unknown)})
        return attrs
