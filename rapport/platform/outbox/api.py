"""Events and webhooks over HTTP."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from rapport.kernel.ids import PREFIXES, parse_type_id, type_id
from rapport.kernel.problems import (
    InvalidCursor,
    NotFound,
    StateConflict,
    UnknownFilter,
    UnknownParameter,
)
from rapport.platform.access.permissions import Permission
from rapport.platform.api import etags
from rapport.platform.api.lists import Filter, ListSpec, Sort, links, page_size
from rapport.platform.api.router import RoomRouter, ScopedRequest
from rapport.platform.api.shapes import Answer, Page, path_id
from rapport.platform.db import sql

from . import examples, message, queries, services
from . import schemas as s

router = RoomRouter(tag="Events")

_EVENT_PARAMETERS = {
    "cursor": "Where to go on: the `next_cursor` of the page before. Lives 30 days.",
    "limit": "1 to 100; 25 when left out.",
    "type": "Only events of this type.",
    "type[in]": "Only events of these types, separated by commas.",
    "object_id": "Only events of this object.",
}


def _page(*data: Any, more: bool = False) -> dict[str, Any]:
    return {
        "object": "list", "data": list(data), "has_more": more, "next_cursor": None,
        "prev_cursor": None,
    }  # fmt: skip


@router.get(
    "/events",
    summary="Read the event log",
    needs=Permission.EVENTS_READ,
    action="event.list",
    kind="list",
    returns=(200, message.EventOut),
    parameters=_EVENT_PARAMETERS,
    problems=(UnknownFilter, InvalidCursor),
    example=_page(examples.EVENT),
)
def list_events(request: ScopedRequest) -> Answer:
    """
    What happened, in the order of commits, for 30 days: the truth behind the webhooks.

    Start without a cursor, then always come back with `next_cursor`, which is there even when
    nothing is new; no event is ever stepped over. Events name objects and fields, never contents.
    """
    scope = request.auth
    types = [
        part
        for name in ("type", "type[in]")
        for part in request.GET.get(name, "").split(",")
        if part
    ]
    if any(len(request.GET.getlist(name)) > 1 for name in request.GET):
        raise UnknownParameter("A query parameter is given twice.")
    if len(types) > 100 or any(len(name) > 60 or "\x00" in name for name in types):
        raise UnknownFilter("A value is too long.")
    events, more, after = queries.events_after(
        scope=scope, cursor=request.GET.get("cursor", ""), types=types,
        object_id=_any_id(request.GET.get("object_id")), limit=page_size(request.GET.get("limit", "25")),
    )  # fmt: skip
    scope.trail.count = len(events)
    page = Page(data=events, has_more=more, next_cursor=after)
    given = {name: str(text) for name, text in request.GET.items() if name != "cursor"}
    return Answer(page, headers={"Link": links(request.path, given, after)})


def _any_id(text: str | None) -> UUID | None:
    """Return the UUID in a public id of any kind; of no kind: an id that nothing has."""
    if text is None:
        return None
    found = (parse_type_id(kind, text) for kind in PREFIXES)
    return next((id for id in found if id), UUID(int=0))


@router.get(
    "/events/{event_id}",
    summary="Read an event",
    needs=Permission.EVENTS_READ,
    action="event.read",
    returns=(200, message.EventOut),
    example=examples.EVENT,
)
def get_event(request: ScopedRequest, event_id: str) -> message.EventOut:
    """One event, as it was sent to the webhooks: the id is the `webhook-id` of its deliveries."""
    id = path_id("event", event_id)
    found = queries.get_event(scope=request.auth, event_id=id)
    request.auth.trail.target("event", id)
    return found


ENDPOINTS = ListSpec(
    route="webhook-endpoints",
    columns=s.ENDPOINT_COLUMNS,
    source="outbox_webhookendpoint w",
    id_column="w.id",
    practice_column="w.practice_id",
    sorts={"created_at": Sort("w.created_at", "timestamptz")},
    default_sort="created_at",
    filters={"state": Filter("w.state", "enum:enabled|disabled")},
    where="w.state <> 'deleted'",
    build=s.endpoint_out,
)


def _endpoint(
    request: ScopedRequest, id: UUID, *, secret: str | None = None, is_new: bool = False
) -> Answer:
    """Answer an endpoint; with its secret, when that is new."""
    row = sql.one(
        f"SELECT {s.ENDPOINT_COLUMNS} FROM outbox_webhookendpoint w"  # noqa: S608 - constants
        " WHERE w.practice_id = %s AND w.id = %s AND w.state <> 'deleted'",
        (request.auth.practice_id, id),
    )
    if row is None:
        raise NotFound()
    members = s.endpoint_members(row)
    request.auth.trail.target("webhook_endpoint", id, members["version"])
    shape = (
        s.EndpointWithSecretOut(**members, secret=secret) if is_new else s.EndpointOut(**members)
    )
    return Answer(shape, etag=etags.of(id, members["version"]))


@router.get(
    "/webhook-endpoints",
    summary="List webhook endpoints",
    needs=Permission.WEBHOOKS_MANAGE,
    action="webhook_endpoint.list",
    returns=(200, s.EndpointOut),
    list_spec=ENDPOINTS,
    example=_page(examples.ENDPOINT),
)
def list_endpoints(request: ScopedRequest) -> Answer:
    """The addresses that are told of events, oldest first. Their secrets are not shown."""
    return ENDPOINTS.run(request, scope=request.auth)


@router.post(
    "/webhook-endpoints",
    summary="Add a webhook endpoint",
    needs=Permission.WEBHOOKS_MANAGE,
    action="webhook_endpoint.create",
    returns=(201, s.EndpointWithSecretOut),
    problems=(services.EndpointUrlNotAllowed, services.TooManyEndpoints),
    example=examples.ENDPOINT_WITH_SECRET,
    request_example=examples.NEW_ENDPOINT,
)
def create_endpoint(request: ScopedRequest, body: s.EndpointIn) -> Answer:
    """
    Add an https address; events from now on are sent to it.

    The answer holds the signing secret, this once. Messages are signed as Standard Webhooks
    prescribes: `v1` by HMAC-SHA256 with the secret, `v1a` by ed25519 with a key whose public half
    is in the answer and at `/.well-known/webhook-keys.json`.
    """
    endpoint, secret = services.create_endpoint(
        scope=request.auth, now=timezone.now(), url=body.url, event_types=body.event_types,
        description=body.description, signature=body.signature,
    )  # fmt: skip
    return _endpoint(request, endpoint.id, secret=secret, is_new=True)


@router.get(
    "/webhook-endpoints/{webhook_endpoint_id}",
    summary="Read a webhook endpoint",
    needs=Permission.WEBHOOKS_MANAGE,
    action="webhook_endpoint.read",
    returns=(200, s.EndpointOut),
    example=examples.ENDPOINT,
)
def get_endpoint(request: ScopedRequest, webhook_endpoint_id: str) -> Answer:
    """One endpoint: where it goes, what it wants, and whether it is enabled."""
    return _endpoint(request, path_id("webhook_endpoint", webhook_endpoint_id))


@router.patch(
    "/webhook-endpoints/{webhook_endpoint_id}",
    summary="Change a webhook endpoint",
    needs=Permission.WEBHOOKS_MANAGE,
    action="webhook_endpoint.update",
    returns=(200, s.EndpointOut),
    match=True,
    problems=(services.EndpointUrlNotAllowed,),
    example=examples.ENDPOINT,
    request_example={"event_types": ["claim.paid"]},
)
def change_endpoint(
    request: ScopedRequest, webhook_endpoint_id: str, body: s.EndpointChange
) -> Answer:
    """Change address, types or description. Deliveries that wait go to the new address."""
    endpoint = services.change_endpoint(
        scope=request.auth, endpoint_id=path_id("webhook_endpoint", webhook_endpoint_id),
        if_match=request.edge.if_match, now=timezone.now(),
        given={name: getattr(body, name) for name in body.model_fields_set},
    )  # fmt: skip
    return _endpoint(request, endpoint.id)


@router.delete(
    "/webhook-endpoints/{webhook_endpoint_id}",
    summary="Delete a webhook endpoint",
    needs=Permission.WEBHOOKS_MANAGE,
    action="webhook_endpoint.delete",
    returns=(204, None),
    example=None,
)
def delete_endpoint(request: ScopedRequest, webhook_endpoint_id: str) -> None:
    """End an endpoint for good. What was on its way to it is dropped; past deliveries stay listed."""
    services.delete_endpoint(
        scope=request.auth, endpoint_id=path_id("webhook_endpoint", webhook_endpoint_id),
        now=timezone.now(),
    )  # fmt: skip


@router.post(
    "/webhook-endpoints/{webhook_endpoint_id}/rotate",
    summary="Give an endpoint a new secret",
    needs=Permission.WEBHOOKS_MANAGE,
    action="webhook_endpoint.rotate",
    returns=(200, s.EndpointWithSecretOut),
    example=examples.ENDPOINT_WITH_SECRET,
)
def rotate_secret(request: ScopedRequest, webhook_endpoint_id: str) -> Answer:
    """
    Make a new secret and show it, this once. For 24 hours both the new and the old one sign.

    So a receiver can change over without losing a message. A second rotation within the 24 hours
    drops the oldest secret.
    """
    endpoint, secret = services.rotate(
        scope=request.auth, endpoint_id=path_id("webhook_endpoint", webhook_endpoint_id),
        now=timezone.now(),
    )  # fmt: skip
    return _endpoint(request, endpoint.id, secret=secret, is_new=True)


@router.post(
    "/webhook-endpoints/{webhook_endpoint_id}/ping",
    summary="Send a test event",
    needs=Permission.WEBHOOKS_MANAGE,
    action="webhook_endpoint.ping",
    returns=(202, s.DeliveryOut),
    problems=(StateConflict,),
    example=examples.DELIVERY,
)
def ping_endpoint(request: ScopedRequest, webhook_endpoint_id: str) -> s.DeliveryOut:
    """Send `endpoint.pinged` to this endpoint alone. The answer is the delivery to watch."""
    delivery = services.ping(
        scope=request.auth, endpoint_id=path_id("webhook_endpoint", webhook_endpoint_id),
        now=timezone.now(),
    )  # fmt: skip
    return _delivery(request, delivery.id)


@router.post(
    "/webhook-endpoints/{webhook_endpoint_id}/disable",
    summary="Stop sending to an endpoint",
    needs=Permission.WEBHOOKS_MANAGE,
    action="webhook_endpoint.disable",
    returns=(200, s.EndpointOut),
    example=examples.ENDPOINT,
)
def disable_endpoint(request: ScopedRequest, webhook_endpoint_id: str) -> Answer:
    """Stop sending. What waits keeps waiting; new events make no deliveries. Emits `endpoint.disabled`."""
    scope, id = request.auth, path_id("webhook_endpoint", webhook_endpoint_id)
    endpoint = services.get_endpoint(scope=scope, endpoint_id=id, lock=True)
    services.disable(scope=scope, endpoint=endpoint, now=timezone.now())
    return _endpoint(request, id)


@router.post(
    "/webhook-endpoints/{webhook_endpoint_id}/enable",
    summary="Send to an endpoint again",
    needs=Permission.WEBHOOKS_MANAGE,
    action="webhook_endpoint.enable",
    returns=(200, s.EndpointOut),
    problems=(services.EndpointUrlNotAllowed,),
    example=examples.ENDPOINT,
)
def enable_endpoint(request: ScopedRequest, webhook_endpoint_id: str) -> Answer:
    """Send again. What waited is due at once; for events of the time in between use `replay`."""
    endpoint = services.enable(
        scope=request.auth, endpoint_id=path_id("webhook_endpoint", webhook_endpoint_id),
        now=timezone.now(),
    )  # fmt: skip
    return _endpoint(request, endpoint.id)


@router.post(
    "/webhook-endpoints/{webhook_endpoint_id}/replay",
    summary="Send past events again",
    needs=Permission.WEBHOOKS_MANAGE,
    action="webhook_endpoint.replay",
    returns=(202, s.ReplayOut),
    problems=(StateConflict, InvalidCursor),
    example=examples.REPLAY,
    request_example={"from_cursor": "9ZkQ3x…"},
)
def replay_endpoint(
    request: ScopedRequest, webhook_endpoint_id: str, body: s.ReplayIn
) -> s.ReplayOut:
    """
    Send every event after a cursor of `GET /v1/events` to this endpoint again, in order.

    Each has the id it had: a receiver that remembers ids takes it once.
    """
    scope, id = request.auth, path_id("webhook_endpoint", webhook_endpoint_id)
    queued = services.replay(
        scope=scope, endpoint_id=id, now=timezone.now(),
        after=queries.place_in(body.from_cursor, scope=scope),
    )  # fmt: skip
    return s.ReplayOut(object="replay", endpoint_id=type_id("webhook_endpoint", id), queued=queued)


_DELIVERY_SOURCE = (
    "outbox_delivery d JOIN outbox_outboxevent e"
    " ON e.practice_id = d.practice_id AND e.id = d.event_id"
)

DELIVERIES = ListSpec(
    route="webhook-deliveries",
    columns=s.DELIVERY_COLUMNS,
    source=_DELIVERY_SOURCE,
    id_column="d.id",
    practice_column="d.practice_id",
    sorts={"created_at": Sort("d.created_at", "timestamptz")},
    default_sort="-created_at",
    filters={
        "endpoint_id": Filter("d.endpoint_id", "id:webhook_endpoint"),
        "event_id": Filter("d.event_id", "id:event"),
        "state": Filter("d.state", "enum:pending|succeeded|dead", ("eq", "in")),
    },
    build=s.delivery_out,
)


def _delivery(request: ScopedRequest, id: UUID) -> s.DeliveryOut:
    row = sql.one(
        f"SELECT {s.DELIVERY_COLUMNS} FROM {_DELIVERY_SOURCE}"  # noqa: S608 - constants
        " WHERE d.practice_id = %s AND d.id = %s",
        (request.auth.practice_id, id),
    )
    if row is None:
        raise NotFound()
    return s.delivery_out(row, request.auth)


@router.get(
    "/webhook-deliveries",
    summary="List webhook deliveries",
    needs=Permission.WEBHOOKS_MANAGE,
    action="webhook_delivery.list",
    returns=(200, s.DeliveryOut),
    list_spec=DELIVERIES,
    example=_page(examples.DELIVERY),
)
def list_deliveries(request: ScopedRequest) -> Answer:
    """What was sent or waits to be, latest first: tries, the last status, and when it goes on."""
    return DELIVERIES.run(request, scope=request.auth)


@router.post(
    "/webhook-deliveries/{delivery_id}/retry",
    summary="Send a delivery again",
    needs=Permission.WEBHOOKS_MANAGE,
    action="webhook_delivery.retry",
    returns=(202, s.DeliveryOut),
    problems=(StateConflict,),
    example=examples.DELIVERY,
)
def retry_delivery(request: ScopedRequest, delivery_id: str) -> s.DeliveryOut:
    """Send it now, and from the start of the schedule, whether it is dead, waits, or succeeded."""
    delivery = services.retry_delivery(
        scope=request.auth, delivery_id=path_id("delivery", delivery_id), now=timezone.now()
    )
    return _delivery(request, delivery.id)


@require_safe
def webhook_keys(request: HttpRequest) -> HttpResponse:
    """`/.well-known/webhook-keys.json`: public keys of v1a endpoints, present and just rotated."""
    keys = [
        {
            "endpoint_id": type_id("webhook_endpoint", endpoint),
            "algorithm": "ed25519",
            "public_key": key,
            "current": current,
        }
        for endpoint, key, current in sql.rows("SELECT * FROM rapport_webhook_keys()")
    ]
    response = JsonResponse({"keys": keys})
    response["Cache-Control"] = "public, max-age=300"
    return response
