"""A file that comes with a request: as its whole body, or as the one part of a form."""

from __future__ import annotations

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParserError

from rapport.kernel.problems import BadRequest

FORM = "multipart/form-data"


def is_form(request: HttpRequest) -> bool:
    """Tell whether the body is a form of parts."""
    return (request.headers.get("Content-Type") or "").split(";")[0].strip().lower() == FORM


def file_in(request: HttpRequest) -> bytes:
    """
    Return the bytes of the file, whatever it is called in a form.

    :raises BadRequest: the form cannot be read, or does not hold exactly one file
    """
    if not is_form(request):
        return request.body
    try:
        # Read whole first: the gate and the view both ask, and a stream answers once.
        _ = request.body
        files = [one for name in request.FILES for one in request.FILES.getlist(name)]
    except (MultiPartParserError, SuspiciousOperation) as error:
        raise BadRequest("The form cannot be read.") from error
    if len(files) != 1 or request.POST:
        raise BadRequest("Send a form with one file in it, and nothing else.")
    files[0].seek(0)
    return bytes(files[0].read())
