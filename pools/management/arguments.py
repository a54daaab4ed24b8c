"""What people may call things by on the command line."""

from django.core.management.base import CommandError

from pools.models import Pool


def find_pool(text: str) -> Pool:
    """The pool with this id, or else this name. Raises CommandError when there is none, or several by that name."""
    if text.isascii() and text.isdigit() and len(text) <= 18 and (pool := Pool.objects.filter(pk=int(text)).first()):
        return pool
    found = list(Pool.objects.filter(name=text).order_by("pk"))
    if not found:
        raise CommandError(f"There is no pool with the id or name {text!r}.")
    if len(found) > 1:
        ids = ", ".join(str(pool.pk) for pool in found)
        raise CommandError(f"Several pools are called {text!r}; give an id: {ids}.")
    return found[0]
