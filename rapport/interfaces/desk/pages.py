"""The pages anybody may read: the first page, the reference, and one page per problem."""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from inspect import cleandoc
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from rapport.kernel.problems import Problem
from rapport.platform.api.router import ROUTES, RouteInfo

STATIC = Path(__file__).parent / "static"


def _demo_file(name: str) -> Any:
    """Return a file that the demo wrote, or None. Other modes have none to show."""
    path = settings.RAPPORT.home / name
    if settings.RAPPORT.mode == "production" or not path.exists():
        return None
    try:
        return json.loads(path.read_text())
    except ValueError:
        return None


def _pretty(value: Any) -> str:
    return "" if value is None else json.dumps(value, indent=2, ensure_ascii=False)


@require_safe
def front(request: HttpRequest) -> HttpResponse:
    """What this is, and the visit as it happened."""
    visit = _demo_file("visit.json")
    demo = _demo_file("demo.json")
    steps = [
        {**step, "number": number, "request_text": _pretty(step.get("request")), "answer_text": _pretty(step.get("response"))}
        for number, step in enumerate((visit or {}).get("steps", ()), 1)
    ]
    people = [(word, user["login"]) for word, user in (demo or {}).get("users", {}).items()]
    played = datetime.fromisoformat(visit["played_at"]) if visit else None
    context = {
        "played": f"{played:%-d %B %Y at %H:%M} UTC" if played else "",
        "visit": visit, "steps": steps, "people": people, "demo_file": settings.RAPPORT.home / "demo.json",
        "webhooks": len((visit or {}).get("webhooks", ())),
    }  # fmt: skip
    return render(request, "desk/front.html", context)


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """Every call of the API, by subject, as the routes declare it."""
    tags: dict[str, list[dict[str, Any]]] = {}
    for info in ROUTES:
        tags.setdefault(info.tag, []).append(_shown(info))
    return render(request, "desk/docs.html", {"tags": sorted(tags.items())})


def _shown(info: RouteInfo) -> dict[str, Any]:
    return {
        "method": info.method,
        "path": "/v1" + info.path,
        "summary": info.summary,
        "description": info.description,
        "permission": info.needs.value if info.needs else "none: open to everybody",
        "key": info.key,
        "match": info.match,
        "filters": sorted(info.list_spec.filters) if info.list_spec else [],
        "problems": sorted({(p.status, p.code) for p in info.problems}),
        "request": _pretty(info.request_example),
        "answer": _pretty(info.example),
    }


PAGES = {"idempotency", "webhooks", "errors", "pagination"}


@require_safe
def docs_page(request: HttpRequest, page: str) -> HttpResponse:
    """One convention, explained. :raises Http404: there is no such page"""
    if page not in PAGES:
        raise Http404
    return render(request, f"desk/{page}.html")


def _every(kind: type[Problem] = Problem) -> Iterator[type[Problem]]:
    for subclass in kind.__subclasses__():
        yield subclass
        yield from _every(subclass)


@lru_cache(maxsize=1)
def problems() -> dict[str, type[Problem]]:
    """Return every problem by its code."""
    return {problem.code: problem for problem in _every()}


@require_safe
def problem(request: HttpRequest, code: str) -> HttpResponse:
    """What a problem means: where its `type` leads. :raises Http404: no problem has that code"""
    found = problems().get(code)
    if found is None:
        raise Http404
    calls = sorted(
        {(info.path, info.method) for info in ROUTES if code in {p.code for p in info.problems}}
    )
    context = {
        "problem": found, "meaning": cleandoc(found.__doc__ or ""), "everywhere": len(calls) > len(ROUTES) // 2,
        "calls": [(method, f"/v1{path}") for path, method in calls],
    }  # fmt: skip
    return render(request, "desk/problem.html", context)


@require_safe
def static(request: HttpRequest, name: str) -> HttpResponse:
    """A file of ours, from a list: nothing else can be named. :raises Http404: it is not there"""
    if name not in {path.name for path in STATIC.iterdir()}:
        raise Http404
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    response = HttpResponse((STATIC / name).read_bytes(), content_type=kind)
    response["Cache-Control"] = "public, max-age=3600"
    return response


@require_safe
def join(request: HttpRequest) -> HttpResponse:
    """Where the link of a telehealth session leads. The secret stays behind the #, unsent."""
    return render(request, "desk/join.html")
