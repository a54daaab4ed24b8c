"""Getting an account: register, prove the address."""

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.doors import Door
from accounts.api.serializers import EmailBody, RegisterBody, TokenBody, UserAnswer
from accounts.services.registration import register_user, resend_verification, verify_email
from config.api.operations import operation
from config.api.ratelimit import REGISTER, TOKEN_TRY, VERIFY_TO
from config.clock import database_now
from config.errors import Code


class RegisterView(Door):
    @operation(
        errors=(Code.EMAIL_TAKEN, Code.NOT_ELIGIBLE),
        body=RegisterBody,
        answer=UserAnswer,
        status=201,
        limits=(REGISTER,),
    )
    def post(self, request: Request) -> Response:
        """Register as a player.

        Mails a link that verifies the address. Refused below the age that the law of the place asks for, 18 unless it
        says otherwise, and where we may not offer this. Fields that are not listed are ignored.
        """
        user = register_user(**self.valid_body(), now=database_now())
        return Response(UserAnswer({"user": user}).data, status=201)


class VerifyEmailView(Door):
    @operation(body=TokenBody, answer=UserAnswer, status=200, limits=(TOKEN_TRY,))
    def post(self, request: Request) -> Response:
        """Verify the e-mail address with the token of the mail.

        The same token again, within its three days, answers the same and changes nothing.
        """
        user = verify_email(token=self.valid_body()["token"], now=database_now())
        return Response(UserAnswer({"user": user}).data)


class ResendVerificationView(Door):
    @operation(body=EmailBody, answer=None, limits=(VERIFY_TO, REGISTER))
    def post(self, request: Request) -> Response:
        """Mail a new verification link.

        The answer is the same whether the address has an account or not.
        """
        resend_verification(email=self.valid_body()["email"])
        return Response(status=204)
