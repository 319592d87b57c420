"""A practice whose claims a payer holds, without a payer: its remittances are written by the test."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from tests.support import eras
from tests.support.billing import Billing
from tests.support.cast import House

X12 = {"content_type": "application/edi-x12"}


@dataclass
class Remitting:
    """A house that bills, and short ways to hand a remittance in and to see what it came to."""

    house: House
    billing: Billing = field(init=False)

    def __post_init__(self) -> None:
        self.billing = Billing(self.house)

    def claim(self, **visit: Any) -> Any:
        """Return a claim of one visit of 180 dollars that the payer has accepted."""
        claim = self.billing.claim(**visit)
        with self.house.entered(), connection.cursor() as cursor:
            cursor.execute("UPDATE claims_claim SET state = 'accepted' WHERE state IN ('draft', 'validated')")
        return self.billing.read(claim)

    def paid(self, claim: Any, *, control: bool = True, **said: Any) -> eras.ClaimPaid:
        """Return the usual decision: 119 dollars paid, 36 by contract, a copay of 25."""
        return eras.claim(claim["control_number"], self.service(claim, control=control), **said)

    def service(self, claim: Any, *, control: bool = True, code: str = "90837") -> eras.LinePaid:
        """Return the usual decision of the claim's service."""
        line = claim["lines"][0]
        return eras.service(
            code, 180, 119, ("CO", "45", 36), ("PR", "3", 25), day=line["service_on"], allowed=144,
            control=line["control_number"] if control else "",
        )  # fmt: skip

    def denied(self, claim: Any, reason: str = "197", *, group: str = "CO", status: str = "1") -> eras.ClaimPaid:
        """Return a denial of the claim."""
        line = claim["lines"][0]
        service = eras.service("90837", 180, 0, (group, reason, 180), day=line["service_on"], control=line["control_number"])
        return eras.claim(claim["control_number"], service, status=status)

    def hand_in(self, *checks: eras.Check) -> Any:
        """Hand a file of these checks in; return the file as the API shows it."""
        return self.hand_in_bytes(eras.file(*checks))

    def hand_in_bytes(self, data: bytes) -> Any:
        """Hand a file in as it is; return the file as the API shows it."""
        answer = self.house.biller.call("POST", "/v1/era-files", raw=data, **X12)
        assert answer.status_code in (200, 201), answer.content
        return answer.json()

    def act(self, file: Any, action: str, body: Any = None) -> Any:
        """Do something with a file; return the answer's body."""
        answer = self.house.biller.post(f"/v1/era-files/{file['id']}/{action}", body or {})
        assert answer.status_code == 200, answer.content
        return answer.json()

    def policy(self, **change: Any) -> Any:
        """Change the posting policy."""
        etag = self.house.biller.get("/v1/posting-policy")["ETag"]
        answer = self.house.biller.patch("/v1/posting-policy", change, if_match=etag)
        assert answer.status_code == 200, answer.content
        return answer.json()

    def accounts(self) -> dict[str, int]:
        """Return what each account comes to in cents, those at zero left out."""
        with self.house.entered(), connection.cursor() as cursor:
            cursor.execute("SELECT account, sum(cents)::bigint FROM ledger_posting GROUP BY 1 HAVING sum(cents) <> 0")
            return dict(cursor.fetchall())

    def balance(self, patient_id: str) -> tuple[int, int]:
        """Return what a patient owes, and what their payers owe, in cents."""
        answer = self.house.biller.get(f"/v1/patients/{patient_id}/balance").json()
        return answer["patient_responsibility"]["amount"], answer["insurance_outstanding"]["amount"]


def rules(file: Any) -> set[str]:
    """Return the rules by which a file waits, or was held."""
    return {finding["rule"] for finding in file["findings"]}
