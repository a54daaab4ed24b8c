"""An admin site that exists only in tests: the outbox with more actions and one writable field."""

from django.urls import path
from unfold.sites import UnfoldAdminSite

from config import urls
from config.admin import HouseAdmin
from config.confirmations import Reason, confirmed
from config.errors import Code, Conflict
from config.models import OutboxMessage

PERMISSION = "config.change_outboxmessage"


def nothing(rows):
    return ["Nothing will happen."]


class Noted(HouseAdmin):
    editable_fields = ("last_error",)
    actions = ("note", "explain")

    @confirmed("Note", permission=PERMISSION, preview=nothing, reason=Reason.REQUIRED)
    def note(self, request, row, reason):
        OutboxMessage.objects.filter(pk=row.pk).update(last_error=reason)

    @confirmed("Explain", permission=PERMISSION, preview=nothing, reason=Reason.OPTIONAL)
    def explain(self, request, row, reason):
        if row.key == "dead 0":
            raise Conflict(Code.POOL_FULL, "Full.")
        if row.key == "dead 1":
            raise RuntimeError("swordfish")


site = UnfoldAdminSite(name="sample")
site.register(OutboxMessage, Noted)
urlpatterns = [path("admin/sample/", site.urls), *urls.urlpatterns]
