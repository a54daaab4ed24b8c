"""`{{ fact|strong }}`: a fact of a mail that has to be seen at once, within a sentence that a catalogue has."""

from typing import Any

from django import template
from django.utils.html import format_html

register = template.Library()


@register.filter
def strong(fact: Any) -> str:
    """The fact as bold markup; itself it is text, never markup."""
    return format_html("<strong>{}</strong>", fact)
