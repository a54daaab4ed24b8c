"""Finding a page of the back office by its name in the menu. Unfold's own search knows tables alone, by their names in
the code, and remembers what it found in one language for the next."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from config.handbook import helped_by
from config.menu import sidebar

LONGEST = 100


@admin.site.admin_view
@helped_by("staff/around#finding-something")
def find_page(request: HttpRequest) -> HttpResponse:
    """The lines of this person's menu in which every word of `s` occurs, their group's name included."""
    words = request.GET.get("s", "")[:LONGEST].casefold().split()
    lines = (
        {"title": str(item["title"]), "description": str(group.get("title", "")), **_way(item)}
        for group in sidebar(request)
        for item in group["items"]
    )
    found = [
        line
        for line in lines
        if words and all(word in f"{line['title']} {line['description']}".casefold() for word in words)
    ]
    told = {"results": found}
    return TemplateResponse(request, "admin/found_pages.html", told, headers={"HX-Trigger": "search"})


def _way(item: dict[str, Any]) -> dict[str, Any]:
    return {"link": item["link"], "icon": item["icon"]}
