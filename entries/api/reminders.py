"""Of which entries the caller is reminded, channel by channel."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.authentication import caller
from config.api.operations import operation
from config.api.views import ApiView
from config.errors import Code
from entries.api.picks import visible_entry
from entries.services.reminder_wishes import change_reminders, reminders_of

EMAIL = (
    "Whether reminders that this entry lacks a pick are sent by e-mail. Which of them, your preferences say for all."
)


class RemindersOut(serializers.Serializer[Any]):
    """A field for each channel."""

    email = serializers.BooleanField(read_only=True, help_text=EMAIL)


class RemindersBody(serializers.Serializer[Any]):
    """The channels to change; the others stay."""

    email = serializers.BooleanField(required=False, help_text=EMAIL)


class RemindersView(ApiView):
    """Reminders of one entry."""

    family = "entries"

    @operation(answer=RemindersOut, errors=(Code.NOT_FOUND,), summary="Show whether an entry is reminded of")
    def get(self, request: Request, entry_id: str) -> Response:
        """Channel by channel. For its owner and for staff."""
        return Response(RemindersOut(reminders_of(visible_entry(request, entry_id))).data)

    @operation(
        body=RemindersBody, answer=RemindersOut, errors=(Code.NOT_FOUND,),
        scope=None, summary="Turn reminders of an entry on or off",
    )  # fmt: skip
    def patch(self, request: Request, entry_id: str) -> Response:
        """It holds for whatever is sent from now on; the same again changes nothing. Its owner's alone."""
        entry = change_reminders(entry_id=int(entry_id), user=caller(request), changes=self.valid_body())
        return Response(RemindersOut(reminders_of(entry)).data)
