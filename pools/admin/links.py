"""Links from one list to the part of another that belongs to a row."""

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString


def link_to_list(model: str, text: object, **filters: object) -> SafeString:
    """A link to the filtered list of `pools.<model>`."""
    query = "&".join(f"{name}={value}" for name, value in filters.items())
    return format_html('<a href="{}?{}">{}</a>', reverse(f"admin:pools_{model}_changelist"), query, text)
