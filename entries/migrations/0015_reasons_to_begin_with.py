"""Some reasons to choose from; staff change them, and add their own."""

from typing import Any

from django.db import migrations

TEMPLATES = (
    ("reject", "Second account", "You have another account with us, and each player has one. Ask with that one."),
    ("reject", "Details missing", "We could not check your details. Please complete your profile, and write to us."),
    ("reject", "Not offered there", "This pool is not offered where you live."),
    ("reject", "Pool is full", "All places of this pool are taken, and it keeps no waiting list."),
    (
        "take_back",
        "Approved by mistake",
        "Your request was approved by mistake. Nothing was charged. You may ask again.",
    ),
    ("take_back", "At your wish", "We took your request back, as you asked us to. Nothing was charged."),
)


def add(apps: Any, _: Any) -> None:
    template = apps.get_model("entries", "ReasonTemplate")
    template.objects.bulk_create(template(kind=kind, title=title, text=text) for kind, title, text in TEMPLATES)


def remove(apps: Any, _: Any) -> None:
    """Those that were never changed."""
    template = apps.get_model("entries", "ReasonTemplate")
    for kind, title, text in TEMPLATES:
        template.objects.filter(kind=kind, title=title, text=text).delete()


class Migration(migrations.Migration):
    dependencies = [("entries", "0014_pending_requests")]

    operations = [migrations.RunPython(add, remove)]
