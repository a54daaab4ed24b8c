"""To whom a row of the queue is given."""

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from accounts.models import User
from accounts.queries import who_may
from payments.models import Discrepancy
from payments.services.discrepancies import PERMISSION, REASON_LENGTH, give


class GiveForm(forms.Form):
    """A colleague, and a word for them."""

    owner = forms.ModelChoiceField(User.objects.none(), label="Colleague", widget=UnfoldAdminSelectWidget)
    reason = forms.CharField(
        max_length=REASON_LENGTH,
        required=False,
        label="A word (optional)",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )

    def __init__(self, *args: Any, row: Discrepancy, **options: Any) -> None:
        super().__init__(*args, **options)
        self.row = row
        people = who_may(PERMISSION).order_by("display_name", "email")
        self.fields["owner"] = forms.ModelChoiceField(
            people, label="Colleague", widget=UnfoldAdminSelectWidget, initial=row.owner_id
        )

    def give(self, by: User) -> Discrepancy:
        """Hand it over."""
        given = self.cleaned_data
        return give(discrepancy_id=self.row.pk, to=given["owner"], by=by, reason=given["reason"])
