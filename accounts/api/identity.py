"""What the caller tells about themselves for the tax office, and everything that is kept about them."""

import json
from typing import IO, Any

from django.http import FileResponse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.authentication import caller
from accounts.api.serializers import COUNTRY, NAME
from accounts.models import PersonalDetails
from accounts.services.identity import LEGAL_NAME_LENGTH, save_identity
from accounts.services.own_data import sections, write_own_data
from config import audit
from config.api.envelope import enveloped
from config.api.operations import operation
from config.api.ratelimit import By, Policy
from config.api.views import ApiView
from config.clock import database_now
from config.errors import Code
from config.files import filled_file

OWN_DATA = Policy("own_data", 10, 60 * 60, By.USER, survives_redis=True)


NOTHING_TOLD = {
    "legal_name": "",
    "tax_country": "",
    "tax_number_ends": "",
    "has_tax_number": False,
    "updated_at": None,
}


class IdentityOut(serializers.Serializer[Any]):
    """What is on file; of the tax number no more than its end. Empty where nothing was told yet."""

    legal_name = serializers.CharField()
    tax_country = serializers.CharField()
    tax_number_ends = serializers.CharField(help_text="Its last four characters, where it has eight or more.")
    has_tax_number = serializers.BooleanField(help_text="Whether one is on file.")
    updated_at = serializers.DateTimeField(allow_null=True)


class IdentityBody(serializers.Serializer[Any]):
    legal_name = serializers.CharField(max_length=LEGAL_NAME_LENGTH, help_text="As on papers.")
    tax_country = serializers.CharField(max_length=2, help_text="ISO 3166-1 alpha-2 of the country that taxes you.")
    tax_number = serializers.CharField(
        max_length=30,
        required=False,
        allow_blank=True,
        write_only=True,
        help_text="Left out: the one on file stays. Empty: it goes. It is never shown again.",
    )

    # 4 to 30 letters and digits with single marks between; any space counts for one.
    values = {
        "legal_name": NAME,
        "tax_number": {"pattern": r"^\s*([A-Za-z0-9](([./-]|[ \t-\r]+)?[A-Za-z0-9]){3,29})?\s*$"},
        "tax_country": COUNTRY,
    }


class OwnDataOut(serializers.Serializer[Any]):
    """Section → rows. Every section is there, empty where nothing is kept."""

    truncated = serializers.ListField(child=serializers.CharField(), help_text="Sections that were cut off.")

    def get_fields(self) -> dict[str, Any]:
        """One for each section that an app has registered."""
        rows = {name: serializers.ListField(child=serializers.DictField()) for name in sections()}
        return {**rows, **super().get_fields()}


class IdentityView(ApiView):
    @operation(answer=IdentityOut, summary="Show the own identity")
    def get(self, request: Request) -> Response:
        """Legal name, tax country, and the end of the tax number."""
        user = caller(request)
        found = PersonalDetails.objects.filter(user=user).first()
        return Response(IdentityOut(found or NOTHING_TOLD).data)

    @operation(
        errors=(Code.INVALID_TRANSITION,),
        body=IdentityBody,
        answer=IdentityOut,
        fresh=True,
        summary="Tell the own identity",
    )
    def put(self, request: Request) -> Response:
        """Replace what is on file. It is kept encrypted; staff who pay prizes see it, and each look is noted."""
        body = self.valid_body()
        saved = save_identity(
            user=caller(request),
            legal_name=body["legal_name"],
            tax_country=body["tax_country"],
            tax_number=body.get("tax_number"),
            now=database_now(),
        )
        return Response(IdentityOut(saved).data)


class OwnDataView(ApiView):
    @operation(answer=OwnDataOut, limits=(OWN_DATA,), fresh=True, summary="Fetch everything kept about oneself")
    def get(self, request: Request) -> FileResponse:
        """Account, identity, sessions, requests, entries, picks, payments and what else is kept, as one JSON file."""
        user = caller(request)
        audit.record(action="own_data.fetched", subject=user, person=user, by=user)

        def fill(file: IO[bytes]) -> None:
            file.write(b'{"success":true,"data":')
            write_own_data(user=user, file=file)
            file.write(f',"meta":{json.dumps(enveloped({})["meta"])}}}'.encode())

        return FileResponse(
            filled_file(fill), as_attachment=True, filename="outlast-own-data.json", content_type="application/json"
        )
