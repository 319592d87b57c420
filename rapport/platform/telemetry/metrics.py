"""Figures for the operator, in Prometheus' form. Labels are routes and states, never people."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

REGISTRY = CollectorRegistry()

_requests = Counter(
    "rapport_requests_total",
    "Requests answered by this process.",
    ["route", "status"],
    registry=REGISTRY,
)
_seconds = Histogram(
    "rapport_request_seconds",
    "Time from the first byte read to the answer being ready.",
    ["route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
    registry=REGISTRY,
)
_jobs = Counter(
    "rapport_jobs_total", "Jobs finished by this process.", ["job", "outcome"], registry=REGISTRY
)
_deliveries = Counter(
    "rapport_webhook_deliveries_total",
    "Webhook attempts of this process.",
    ["outcome"],
    registry=REGISTRY,
)

_request_children: dict[tuple[str, int], tuple[Counter, Histogram]] = {}


def observe_request(route: str, method: str, status: int, seconds: float) -> None:
    """Count one request under its route's template (`GET /patients/{patient_id}`)."""
    key = (route or f"{method} (none)", status)
    children = _request_children.get(key)
    if children is None:
        children = (_requests.labels(key[0], str(status)), _seconds.labels(key[0]))
        _request_children[key] = children
    children[0].inc()
    children[1].observe(seconds)


def count_job(job: str, outcome: str) -> None:
    """Count a finished job: `done`, `retry` or `dead`."""
    _jobs.labels(job, outcome).inc()


def count_delivery(outcome: str) -> None:
    """Count a webhook attempt: `succeeded`, `failed`, `blocked` or `dead`."""
    _deliveries.labels(outcome).inc()


def exposition() -> bytes:
    """Return the figures of this process as text."""
    return generate_latest(REGISTRY)
