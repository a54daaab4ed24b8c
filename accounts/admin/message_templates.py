"""What letters say: versions written on the add page, looked at with values made up, and put to use."""

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget

from accounts.admin.staff import staff
from accounts.models import MessageTemplate
from accounts.services.letters import kinds
from accounts.services.letters.templates import faults_of, previewed, use_template, write_template
from config.admin import WithRowActions
from config.confirmations import confirmed

MOST_SHOWN = 3

if TYPE_CHECKING:
    Base = forms.ModelForm[MessageTemplate]
else:
    Base = forms.ModelForm


class TemplateForm(Base):
    """A kind, a language, and what it says."""

    kind = forms.ChoiceField(widget=UnfoldAdminSelectWidget())
    language = forms.ChoiceField(choices=settings.LANGUAGES, widget=UnfoldAdminSelectWidget())

    class Meta:
        model = MessageTemplate
        fields = ("kind", "language", "subject", "body")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen: Any = self.fields["kind"]
        chosen.choices = [(name, name) for name in kinds.names()]

    def clean(self) -> dict[str, Any]:
        """Ask the service's own checks."""
        values = super().clean() or self.cleaned_data
        given = {field: values.get(field, "") for field in self.Meta.fields}
        for field, faults in faults_of(**given).items():
            for fault in faults if field not in self.errors else []:
                self.add_error(field, fault)
        return values

    def _post_clean(self) -> None:
        """Not the model's: the service makes the row, and the database has the last word."""


def what_using_does(rows: QuerySet[MessageTemplate]) -> list[str]:
    """The preview of `use`: what letters will say."""
    said = []
    for row in rows.order_by("pk")[:MOST_SHOWN]:
        one = _previewed(row)
        said += [f"{row.kind} ({row.language}): {one.subject}", one.text]
    return [*said, _("It holds for every letter that is sent from now on, also for those that wait.")]


def _previewed(row: MessageTemplate) -> Any:
    return previewed(kind=row.kind, language=row.language, subject=row.subject, body=row.body)


@admin.register(MessageTemplate)
class MessageTemplateAdmin(WithRowActions):
    """Versions of what letters say. The one put to use last is in use; without one, a letter says what we ship."""

    handbook = "staff/messages#message-templates"
    may_add = True
    form = TemplateForm
    list_display = ("id", "kind", "language", "version", "subject", "written_by", "written_at", "used_by", "used_at")
    list_display_links = ("id", "subject")
    list_select_related = ("written_by", "used_by")
    list_filter: ClassVar = ("kind", "language", ("used_at", admin.EmptyFieldListFilter))
    ordering = ("-id",)
    fields = (
        "kind", "language", "version", "as_read", "subject", "body", "written_by", "written_at", "used_by", "used_at",
    )  # fmt: skip
    readonly_fields = ("as_read",)
    actions = ("use",)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """A version that is there has nothing to fill in."""
        kwargs["form"] = TemplateForm if obj is None else forms.ModelForm
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """What is known of each kind stands above the form."""
        if obj is not None:
            return super().get_fieldsets(request, obj)
        return ((None, {"fields": TemplateForm.Meta.fields, "description": _placeholders()}),)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Everything, once the row is there."""
        return [] if obj is None else super().get_readonly_fields(request, obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Through the service; the form's row becomes the one that it made."""
        obj.pk = write_template(**form.cleaned_data, by=staff(request)).pk
        obj.refresh_from_db()

    def describe(self, row: MessageTemplate) -> str:
        """Which version of what."""
        return f"{row.kind} ({row.language}), version {row.version}: {row.subject}"

    @admin.display(description=gettext_lazy("As Ann reads it"))
    def as_read(self, template: MessageTemplate) -> str:
        """With values made up."""
        said = _previewed(template)
        return f"{said.subject}\n\n{said.text}"

    @confirmed("Use", permission="accounts.change_messagetemplate", preview=what_using_does, done="in use")
    def use(self, request: HttpRequest, row: MessageTemplate, reason: str) -> None:
        """Have letters say this."""
        use_template(template=row, by=staff(request))


def _placeholders() -> str:
    known = ((name, kinds.kind_of(name)) for name in kinds.names())
    return "; ".join(
        f"{name}: " + ", ".join(f"{{{one}}}" for one in sorted(kind.example)) for name, kind in known if kind
    )
