"""A practice that bills: a completed visit with a signed note, a policy, and the sandbox payer."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.utils import timezone

from rapport.config import wiring
from rapport.kernel.ids import parse_type_id
from rapport.platform.access.permissions import Role
from rapport.platform.jobs.worker import drain
from rapport.rooms.claims import jobs
from rapport.rooms.coding import services as coding
from tests.support import props
from tests.support.cast import Api, House
from tests.support.sandbox import SandboxProcess

SECTIONS = {"subjective": "Slept better.", "plan": "Weekly sessions."}


@dataclass
class Billing:
    """What is there, and short ways to bill."""

    house: House
    sandbox: SandboxProcess | None = None
    way: str = "http"
    """The kind of channel: `http`, `stedi` or `claim_md`, all of which lead to the sandbox."""
    maya: Api = field(init=False)
    things: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        house = self.house
        coding.load_icd10(now=timezone.now())
        clinician = props.clinician(house, npi="1000000004", taxonomy_code="103TC0700X")
        self.maya = house.person(
            "maya", Role.CLINICIAN, clinician_id=parse_type_id("clinician", clinician["id"])
        )
        self.things = {
            "clinician": clinician,
            "location": props.location(house),
            "code": props.service_code(house),
            "payer": props.payer(house),
        }
        if self.sandbox is not None:
            wiring.connect()
            self.things["channel"] = props.made(
                house.biller.post("/v1/channels", self.channel_body())
            )

    def channel_body(self, **settings: Any) -> dict[str, Any]:
        assert self.sandbox is not None
        url = self.sandbox.http_url
        stedi = {"base_url": f"{url}/2024-04-01", "answers_url": f"{url}/2023-08-01"}
        return {
            "name": "Clearinghouse", "kind": self.way, "secret": self.sandbox.api_key,
            "settings": (stedi if self.way == "stedi" else {"base_url": url}) | {
                "sender_id": f"W{self.house.id.hex[-12:].upper()}",
                "receiver_id": "SANDBOXCH", "receiver_name": "SANDBOX CLEARINGHOUSE",
            } | settings,
        }  # fmt: skip

    def visit(
        self, *, member_id: str = "SBXFULL01", days_ago: int = 3, hour: int = 9, patient: Any = None,
        code: str = "90837",
    ) -> Any:  # fmt: skip
        """Book, see and document one visit; return the completed appointment."""
        house = self.house
        if patient is None:
            patient = props.patient(
                house, clinician_ids=[self.things["clinician"]["id"]],
                address={"line1": "12 Alder Court", "city": "Portland", "state": "OR", "postal_code": "97205"},
            )
            props.policy(house, patient, self.things["payer"], member_id=member_id)
        self.things["patient"] = patient
        start = (timezone.now() - timedelta(days=days_ago)).replace(hour=17 + hour % 6, minute=0, second=0, microsecond=0)
        appointment = props.made(
            house.scheduler.post(
                "/v1/appointments",
                {
                    "patient_id": patient["id"], "clinician_id": self.things["clinician"]["id"],
                    "service_code": code, "start_at": start.isoformat(),
                    "location_id": self.things["location"]["id"],
                },
            )
        )
        path = f"/v1/appointments/{appointment['id']}"
        for action in ("check-in", "complete"):
            answer = house.scheduler.post(f"{path}/{action}", {}, if_match=house.scheduler.get(path)["ETag"])
            assert answer.status_code == 200, answer.content
        return answer.json()

    def note(self, appointment: Any, *, sign: bool = True) -> Any:
        """Write the visit's progress note, and sign it."""
        note = props.made(
            self.maya.post(
                "/v1/clinical-notes",
                {"appointment_id": appointment["id"], "type": "progress",
                 "diagnoses": [{"code": "F41.1"}], "content": SECTIONS},
            )
        )
        if sign:
            path = f"/v1/clinical-notes/{note['id']}"
            answer = self.maya.post(f"{path}/sign", {}, if_match=self.maya.get(path)["ETag"])
            assert answer.status_code == 200, answer.content
            note = answer.json()
        return note

    def claim(self, **visit: Any) -> Any:
        """Make a claim of a fresh visit."""
        appointment = self.visit(**visit)
        self.note(appointment)
        return props.made(self.house.biller.post("/v1/claims", {"appointment_ids": [appointment["id"]]}))

    def submit(self, claim: Any) -> Any:
        """Submit a claim."""
        path = f"/v1/claims/{claim['id']}"
        answer = self.house.biller.post(f"{path}/submit", {}, if_match=self.house.biller.get(path)["ETag"])
        assert answer.status_code == 202, answer.content
        return answer.json()

    def batch(self, *claims: Any, **body: Any) -> Any:
        """Send claims in one file; without any, all that are ready."""
        named = {"claim_ids": [claim["id"] for claim in claims]} if claims else {}
        answer = self.house.biller.post("/v1/claim-batches", named | body)
        assert answer.status_code == 202, answer.content
        return answer.json()

    def work(self, *, fetch: bool = True) -> None:
        """Do everything a worker would do for this practice now."""
        drain(self.house.id)
        if fetch:
            with self.house.entered() as scope:
                jobs.jobs.defer(
                    "claims.fetch_answers", scope,
                    channel_id=parse_type_id("channel", self.things["channel"]["id"]),
                )
            drain(self.house.id)

    def read(self, claim: Any) -> Any:
        """Return the claim as it is now."""
        return self.house.biller.get(f"/v1/claims/{claim['id']}").json()
