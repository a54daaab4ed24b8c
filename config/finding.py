"""Finding a page of the back office by its name in the menu. Unfold's own search knows tables alone, by their names in
the code, and remembers what it found in one language for the next."""

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
    found = [
        {"title": item["title"], "description": group.get("title", ""), "link": item["link"], "icon": item["icon"]}
        for group in sidebar(request)
        for item in group["items"]
        if words and all(word in f"{item['title']} {group.get('title', '')}".casefold() for word in words)
    ]
    told = {"results": found}
    return TemplateResponse(request, "admin/found_pages.html", told, headers={"HX-Trigger": "search"})
