"""The handbook: what staff, finance and operators read, from `docs/handbook`, served where they work.

`pages` knows which there are, `rendering` makes safe HTML of one, `searching` finds headings, `views` answers. `links`
says which page helps with which page of the back office:

    class RequestAdmin(HouseAdmin):
        handbook = "staff/requests#the-list-of-requests"

    @helped_by("staff/requests#the-workbench")
    def workbench(self, request: HttpRequest) -> HttpResponse: …
"""

from config.handbook.links import helped_by

__all__ = ["helped_by"]
