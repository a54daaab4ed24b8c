"""The handbook in the back office. Staff read it; what it says is no secret among them."""

from typing import Any

from django.contrib import admin
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from config.handbook.contents import contents
from config.handbook.pages import CONTENTS, pages, pictures
from config.handbook.rendering import rendered
from config.handbook.searching import search

# Pictures of another release have the same names.
PICTURE_SECONDS = 3600


def read_contents(request: HttpRequest) -> HttpResponse:
    """All pages; with `q`, where it is said."""
    wanted = request.GET.get("q", "").strip()[:100]
    if wanted and pages():
        return _shown(request, title=_("Search the handbook"), wanted=wanted, found=search(wanted))
    return _page(request, CONTENTS)


def read_page(request: HttpRequest, page: str) -> HttpResponse:
    """One page, or 404."""
    return _page(request, page)


def _page(request: HttpRequest, name: str) -> HttpResponse:
    known = pages()
    if not known:
        return _shown(request, title=_("Handbook"), is_missing=True, status=404)
    if name not in known:
        raise Http404
    page = rendered(known[name])
    return _shown(request, title=page.title, page=page, name=name, is_behind=not known[name].is_handbook)


def _shown(request: HttpRequest, *, status: int = 200, **told: Any) -> HttpResponse:
    context = {**admin.site.each_context(request), "books": contents(), **told}
    return TemplateResponse(request, "admin/handbook.html", context, status=status)


def show_picture(request: HttpRequest, picture: str) -> HttpResponseBase:
    """A picture of a page, or 404."""
    found = pictures().get(picture)
    if found is None:
        raise Http404
    answer = FileResponse(found.open("rb"), content_type="image/png")
    answer["Cache-Control"] = f"private, max-age={PICTURE_SECONDS}"
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


def handbook_urls() -> list[URLPattern]:
    """Below `/admin/handbook/`; each for staff alone."""

    def for_staff(view: Any, **more: Any) -> Any:
        return admin.site.admin_view(require_safe(view), **more)

    return [
        path("", for_staff(read_contents), name="handbook"),
        path("pictures/<path:picture>", for_staff(show_picture, cacheable=True), name="handbook-picture"),
        path("<path:page>", for_staff(read_page), name="handbook-page"),
    ]
