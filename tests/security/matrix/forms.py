"""The forms of a page, as a browser would send them back."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

# What people type into, and not choose.
TYPED = {"text", "search", "email", "number", "date", "time", "datetime-local", "url", "password", "textarea"}
VOID = {"button", "reset", "image"}


@dataclass
class Form:
    """Where it leads, its fields with their kinds and what stands in them, and its buttons that say something.

    Of a name that comes often, the first.
    """

    action: str
    method: str
    fields: dict[str, tuple[str, str]] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)

    @property
    def known_by(self) -> tuple[str, ...]:
        """What forms of one kind have in common."""
        return (self.action.partition("?")[0], *self.fields, *dict(self.buttons))

    def sent(self, typed: str | None = None, *, everywhere: bool = False) -> Iterator[dict[str, str]]:
        """What each of its buttons sends: as it stands, or with this in what is typed, or in everything there is."""
        said = {
            name: typed if typed is not None and (kind in TYPED or everywhere) else value
            for name, (kind, value) in self.fields.items()
        }
        for name, value in self.buttons or [("", "")]:
            yield said | ({name: value} if name else {})


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.select = self.area = ""

    @property
    def fields(self) -> dict[str, tuple[str, str]]:
        return self.forms[-1].fields if self.forms else {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name = given.get("name", "")
        if tag == "form":
            self.forms.append(Form(given.get("action", ""), given.get("method", "get").lower()))
        elif tag == "select":
            self.select = name
        elif tag == "option" and self.select and ("selected" in given or self.select not in self.fields):
            self.fields[self.select] = ("select", given.get("value", ""))
        elif tag == "textarea" and name:
            self.area = name
            self.fields.setdefault(name, ("textarea", ""))
        elif tag in ("input", "button") and name and self.forms:
            self._is_given(name, given.get("type", "submit" if tag == "button" else "text").lower(), given)

    def _is_given(self, name: str, kind: str, given: dict[str, str]) -> None:
        is_left = kind in ("checkbox", "radio") and "checked" not in given
        if kind == "submit":
            self.forms[-1].buttons.append((name, given.get("value", "")))
        elif kind not in VOID and kind != "file" and not is_left:
            self.fields.setdefault(name, (kind, given.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self.select = ""
        elif tag == "textarea":
            self.area = ""

    def handle_data(self, data: str) -> None:
        if self.area and self.area in self.fields:
            self.fields[self.area] = ("textarea", self.fields[self.area][1] + data)


def forms_of(page: str) -> list[Form]:
    """All forms that post something."""
    reader = _Reader()
    reader.feed(page)
    return [form for form in reader.forms if form.method == "post" and (form.fields or form.buttons)]
