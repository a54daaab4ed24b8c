"""The admin is an interface, not a bypass: read-only unless a field says otherwise, and every action calls a service.

    class RequestAdmin(HouseAdmin):
        editable_fields = ("note",)          # everything else is read-only
        actions = ["approve"]

Actions are made of functions for one row (`config.confirmations`): a page says first what will happen.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeVar

from django.contrib import admin, messages
from django.contrib.admin.checks import ModelAdminChecks
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import label_for_field
from django.core.exceptions import SuspiciousOperation, ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import action as unfold_action
from unfold.decorators import display as unfold_display

from config import outbox
from config.confirmations import confirmed
from config.errors import DomainError
from config.list_filters import fast_filter
from config.lists import Bounded, HouseChangeList, found_rows, in_words
from config.models import OutboxMessage
from config.names import named, named_choices, named_lazily
from config.phrases import in_language_lazily, tell_of


class HouseAdmin(ModelAdmin):  # type: ignore[misc]  # unfold ships no types
    """Shows everything, changes what `editable_fields` names, adds and deletes nothing.

    `may_add = True` opts into adding, with all fields of the add form writable.
    """

    # Unfold's own look permissions up in the database, which has no tables yet when `migrate` runs the checks.
    checks_class = ModelAdminChecks
    editable_fields: Sequence[str] = ()
    may_add = False
    # Counting a million rows a second time, for a line nobody reads.
    show_full_result_count = False
    paginator = Bounded
    list_per_page = 50
    list_filter_submit = True

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return self.may_add and super().has_add_permission(request, *args)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(self.editable_fields) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """All fields of the page but those opted in."""
        given = [str(name) for name in super().get_readonly_fields(request, obj)]
        if obj is None and self.may_add:
            return given
        own = [field.name for field in (*self.opts.fields, *self.opts.many_to_many)]
        return [*given, *(name for name in own if name not in self.editable_fields and name not in given)]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Django's; what a service refuses when the form is saved is told above it."""
        try:
            page: HttpResponse = super().changeform_view(request, object_id, form_url, extra_context)
        except DomainError as refusal:
            self.message_user(request, refusal.sentence, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())
        return page

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[HouseChangeList]:
        """One that is not slower for being long."""
        return HouseChangeList

    def get_list_filter(self, request: HttpRequest) -> Sequence[Any]:
        """The declared ones, none of which reads the whole table."""
        return [fast_filter(self.model, given) for given in super().get_list_filter(request)]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """By indexes, and no row twice."""
        return found_rows(queryset, self.get_search_fields(request), search_term), False

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Django's; what no row can be called was chosen by nobody."""
        for chosen in request.POST.getlist(ACTION_CHECKBOX_NAME):
            try:
                self.opts.pk.to_python(chosen)
            except ValidationError as error:
                raise SuspiciousOperation("no row of this list is called that") from error
        answer: HttpResponse | None = super().response_action(request, queryset)
        return answer

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """The actions that this person may take."""
        found = super().get_actions(request)
        return {
            name: (action, known_as, named(label))
            for name, (action, known_as, label) in found.items()
            if _may(request, action)
        }

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """The declared columns; a state is shown in the language of the page."""
        return [in_words(self.model, name) for name in super().get_list_display(request)]

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Django's, its choices in the language of the page."""
        field = super().formfield_for_choice_field(db_field, request, **kwargs)
        field.choices = named_choices(field.choices)
        return field

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The declared ones, with their names in the language of the page."""
        return [(named(name) if name else name, options) for name, options in super().get_fieldsets(request, obj)]

    def describe(self, row: Any) -> str:
        """The row in one line of a confirm page; the list's `list_select_related` is loaded."""
        return str(row)


class ReadOnlyAdmin(HouseAdmin):
    """Rows to look at: history, ledgers, whatever the database itself keeps as it is."""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


if TYPE_CHECKING:
    Inline = admin.TabularInline[Any, Any]
else:
    Inline = TabularInline


class ReadOnlyInline(Inline):
    """Rows that belong to the page's row, to look at."""

    extra = 0
    can_delete = False

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.verbose_name_plural = named_lazily(self.verbose_name_plural)

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """Django's, with the columns and what is said of them in the language of the page."""
        names = {name: named_lazily(label_for_field(name, self.model, self)) for name in columns_of(self)}
        helps = {
            one.name: in_language_lazily(str(one.help_text))
            for one in self.model._meta.concrete_fields
            if one.help_text
        }
        return super().get_formset(request, obj, **{"labels": names, "help_texts": helps, **kwargs})

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def columns_of(inline: Any) -> list[str]:
    """What an inline shows of its rows."""
    shown = [str(name) for name in inline.fields or ()]
    return shown or [one.name for one in inline.model._meta.concrete_fields]


class RowLink(NamedTuple):
    """From the page of a row to a page elsewhere that is about it. Apps above add theirs to `links` of apps below."""

    label: str
    permission: str
    address: Callable[[str], str]


class WithRowActions(HouseAdmin):
    """The list's actions as buttons on the page of one row: the same confirm page, the same service."""

    change_form_outer_before_template = "admin/row_actions.html"
    links: ClassVar[tuple[RowLink, ...]] = ()

    def offers(self, request: HttpRequest, name: str, object_id: str) -> bool:
        """Whether the page of this row shows the button of an action at all."""
        return True

    def leads(self, request: HttpRequest, link: RowLink, object_id: str) -> bool:
        """Whether the page of this row shows a link at all."""
        return True

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Django's, with the actions that this person may take as `row_actions`, each posting the row to its action."""
        # An address may say anything: what is no key of a row has neither buttons nor links.
        row = self._key_of(object_id) if object_id else ""
        buttons = [
            {"name": name, "label": label}
            for name, (_, _, label) in self.get_actions(request).items()
            if row and self.offers(request, name, row)
        ]
        links = [
            {"label": link.label, "address": link.address(row)}
            for link in self.links
            if row and request.user.has_perm(link.permission) and self.leads(request, link, row)
        ]
        page: HttpResponse = super().changeform_view(
            request, object_id, form_url, {**(extra_context or {}), "row_actions": buttons, "row_links": links}
        )
        return page

    def _key_of(self, object_id: str) -> str:
        """As addresses write it: Python reads the digits of every script, and signs; nothing where it is none."""
        try:
            key = self.opts.pk.to_python(object_id)
        except ValidationError:
            return ""
        return "" if isinstance(key, int) and key < 0 else str(key)


F = TypeVar("F", bound=Callable[..., Any])


def list_button(label: str, *, path: str, permission: str, icon: str | None = None) -> Callable[[F], F]:
    """A button above a list that opens the decorated page, for those with the permission."""
    made: Callable[[F], F] = unfold_action(
        description=named_lazily(label), url_path=path, permissions=[permission], icon=icon
    )
    return made


def labelled(description: str, *, ordering: str, colours: dict[str, str]) -> Callable[[F], F]:
    """A column as a coloured label: the function answers the value, which has a colour, and the words for it."""
    made: Callable[[F], F] = unfold_display(description=description, ordering=ordering, label=colours)
    return made


def _may(request: HttpRequest, function: Any) -> bool:
    needed = getattr(function, "required_permission", None)
    return needed is None or request.user.has_perm(needed)


def what_retry_does(rows: QuerySet[Any]) -> list[str]:
    """The preview of `OutboxMessageAdmin.try_again`."""
    dead = rows.filter(dead_at__isnull=False).count()
    return [
        tell_of(
            dead,
            "{count} given-up message gets ten new tries, the first one now.",
            "{count} given-up messages get ten new tries, the first one now.",
        ),
        gettext("Messages in other states stay as is."),
    ]


@admin.register(OutboxMessage)
class OutboxMessageAdmin(ReadOnlyAdmin):
    """What waits, what was done, what was given up and why."""

    handbook = "operator/watching#messages-that-wait-or-were-given-up"
    list_display = ("kind", "key", "created_at", "due_at", "attempts", "done_at", "dead_at")
    list_filter = ("kind", ("dead_at", admin.EmptyFieldListFilter), ("done_at", admin.EmptyFieldListFilter))
    search_fields = ("key__exact",)
    search_help_text = "The whole key"
    ordering = ("-id",)
    actions = ("try_again",)

    @confirmed("Try again", permission="config.change_outboxmessage", preview=what_retry_does, done="put back")
    def try_again(self, request: HttpRequest, row: Model, reason: str) -> None:
        outbox.retry(message_id=row.pk)
