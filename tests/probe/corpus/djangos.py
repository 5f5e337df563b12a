"""Django without a project: several applications live in one process, each with its own routes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeAlias

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path

from tests.probe.corpus.walls import DeniedError, tenant_of

__all__ = ["HttpRequest", "HttpResponse", "JsonResponse", "body", "caller", "django_app"]

View: TypeAlias = Callable[..., HttpResponse]


def caller(request: HttpRequest) -> str:
    """The tenant whose token was shown."""
    return tenant_of(request.headers.get("Authorization"))


def body(request: HttpRequest, *required: str) -> dict[str, Any]:
    """The JSON of a request; 400 where it isn't an object that has texts by these names."""
    try:
        found = json.loads(request.body)
    except ValueError:
        raise DeniedError(400, "the body is not JSON") from None
    for name in required:
        if not isinstance(found, dict) or not isinstance(found.get(name), str):
            raise DeniedError(400, f"{name}: a text is required")
    return dict(found)


def by_method(**views: View) -> View:
    """One view for all methods of a route."""

    def view(request: HttpRequest, **captured: object) -> HttpResponse:
        chosen = views.get(str(request.method))
        if chosen is None:
            return JsonResponse({"error": "method not allowed"}, status=405)
        try:
            return chosen(request, **captured)
        except DeniedError as error:
            return JsonResponse({"error": error.detail}, status=error.status)

    return view


class Handler(WSGIHandler):  # type: ignore[misc]  # of no known type, as above
    """An application with routes of its own, where a project has one module for all."""

    def __init__(self, routes: dict[str, dict[str, View]]) -> None:
        if not settings.configured:
            settings.configure(
                ALLOWED_HOSTS=["*"], SECRET_KEY="of a test", APPEND_SLASH=False, ROOT_URLCONF=""
            )
            django.setup()
        super().__init__()
        self.urlconf = tuple(path(route, by_method(**views)) for route, views in routes.items())

    def get_response(self, request: HttpRequest) -> HttpResponse:
        request.urlconf = self.urlconf
        return super().get_response(request)


def django_app(routes: dict[str, dict[str, View]]) -> Handler:
    """Route -> method -> view."""
    return Handler(routes)
