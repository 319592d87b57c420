"""The script of the week: what a practice asks for, and looks at, from Monday to Friday."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.connect.practices import CLINICIANS
from tests.connect.sides import Side
from tests.connect.stage import PORTAL_ZONE, until

GONE = "01h455vb4pex5vsknk084sn02q"
"""What no id ends with."""


class Week:
    """The week of one side."""

    def __init__(self, side: Side, monday: date, foreign: dict[str, str], note_at_work: Any) -> None:
        """
        :param foreign: patient and appointment of a practice that is neither
        :param note_at_work: writes and signs a note about a visit where this side's notes are written
        """
        self.side, self.monday, self.foreign, self.note_at_work = side, monday, foreign, note_at_work

    def day(self, number: int) -> date:
        return self.monday + timedelta(days=number)

    def at(self, number: int, hour: int = 0) -> str:
        """Return an instant of a day of the week, as a filter takes it."""
        wall = datetime.combine(self.day(number), datetime.min.time(), ZoneInfo(PORTAL_ZONE)) + timedelta(hours=hour)
        return wall.isoformat().replace("+", "%2B")

    def play(self) -> None:
        """Play all of it."""
        self.look_up()
        self.look_back()
        self.work()
        self.refusals()
        self.look_at_the_week()

    # Before it

    def look_up(self) -> None:
        """Who there is: the whole list, parts of it, and pages of it."""
        ask, id_of = self.side.ask, self.side.id_of
        ask("roster", "GET", "/v1/patients?limit=100")
        ask("clinicians", "GET", "/v1/clinicians?limit=100")
        ask("payers", "GET", "/v1/payers?limit=100", who="biller")
        ask("policies", "GET", "/v1/insurance-policies?limit=100", ties="starts_on")
        ask("who is inactive", "GET", "/v1/patients?status=inactive")
        ask("whose patients", "GET", f"/v1/patients?clinician_id={id_of('clinician 2')}&limit=100")
        ask("nobody", "GET", "/v1/patients?status=deceased")
        for what in ({"name": "novák"}, {"name": "riv"}, {"birth_on": "1955-06-06"}, {"name": "nobody of that name"},
                     {"external_id": {"system": "sandbox-portal", "value": "7"}}, {"email": "PATIENT9@example.org"}):  # fmt: skip
            ask(f"search {what}", "POST", "/v1/patients/search", what)
        address = "/v1/patients?limit=10"
        for number in range(1, 4):
            answer = ask(f"page {number} of the roster", "GET", address)
            address = answer.links.get("next", {}).get("url", "")
        for number in (1, 10, 17):
            path = f"/v1/patients/{id_of(f'patient {number}')}"
            answer = ask(f"patient {number}", "GET", path)
            ask(f"patient {number}, not changed since", "GET", path, If_None_Match=answer.headers["ETag"])
            ask(f"policies of patient {number}", "GET", f"/v1/insurance-policies?patient_id={id_of(f'patient {number}')}")
        ask("policies in force", "GET", f"/v1/insurance-policies?active_on={self.day(0)}&limit=100", ties="starts_on")

    def look_back(self) -> None:
        """What was there before the week: visits and notes."""
        ask, id_of = self.side.ask, self.side.id_of
        for number in CLINICIANS:
            of = f"clinician_id={id_of(f'clinician {number}')}"
            ask(f"visits of clinician {number}", "GET",
                f"/v1/appointments?{of}&start_at[gte]={self.at(7)}&start_at[lt]={self.at(40)}&limit=100")  # fmt: skip
            ask(f"notes of clinician {number}", "GET", f"/v1/clinical-notes?{of}&limit=100&sort=service_on")
        ask("what took place", "GET", f"/v1/appointments?status=completed&start_at[lt]={self.at(14)}&limit=100")
        ask("what is to come", "GET", f"/v1/appointments?status[in]=booked,checked_in&start_at[gte]={self.at(28)}&telehealth=true")
        ask("what is not signed", "GET", "/v1/clinical-notes?unsigned=true&sort=service_on")
        ask("intakes", "GET", "/v1/clinical-notes?type=intake&sort=service_on")
        ask("notes of some days", "GET",
            f"/v1/clinical-notes?service_on[gte]={self.day(7)}&service_on[lt]={self.day(9)}&status=signed&sort=service_on")  # fmt: skip
        ask("no notes", "GET", f"/v1/clinical-notes?service_on[lt]={self.day(-200)}")
        for number in (1, 2, 4):
            path = f"/v1/clinical-notes/{id_of(f'note {number}')}"
            ask(f"note {number}", "GET", path)
            ask(f"note {number}, by the front desk", "GET", path, who="scheduler")
            link = ask(f"paper of note {number}", "POST", f"{path}/document-link", {"expires_in_seconds": 60}, who="desk")
            if link.status_code == 201:
                paper = self.side.people["nobody"].get(f"/v1/document-links/{link.json()['url'].rpartition('/')[2]}")
                self.side.told.append((f"paper of note {number}, fetched", {
                    "status": paper.status_code, "type": paper.headers["Content-Type"], "begins": paper.content[:5].decode(),
                }))  # fmt: skip
        ask("notes of a visit", "GET", f"/v1/clinical-notes?appointment_id={id_of('visit 1')}")

    # The week

    def book(self, visit: str, number: int, hour: int, *, patient: int, clinician: int, far: bool = False, **more: Any) -> None:
        body = self.wanted(number, hour, patient=patient, clinician=clinician, far=far) | more
        answer = self.side.send("desk", "POST", "/v1/appointments", body)
        if answer.status_code == 202:
            at = self.at(number, hour)
            mine = f"/v1/appointments?patient_id={body['patient_id']}&start_at[gte]={at}&start_at[lte]={at}"
            made = until(f"{visit} to be booked", lambda: self.side.later("desk", mine)["data"], seconds=90, every=3)
            answer = self.side.send("desk", "GET", f"/v1/appointments/{made[0]['id']}")
            answer.status_code = 201
        assert answer.status_code == 201, (self.side.name, answer.text)
        self.side.meaning[answer.json()["id"]] = visit
        self.side.tell(f"{visit} booked", answer)

    def wanted(self, number: int, hour: int, *, patient: int, clinician: int, far: bool = False) -> dict[str, Any]:
        place: dict[str, Any] = {"telehealth": True} if far else {"location_id": self.side.id_of("location Main office")}
        return place | {
            "patient_id": self.side.id_of(f"patient {patient}"), "clinician_id": self.side.id_of(f"clinician {clinician}"),
            "service_code": "90834", "start_local": f"{self.day(number)}T{hour:02}:00:00", "time_zone": PORTAL_ZONE,
            "duration_minutes": 50,
        }  # fmt: skip

    def path(self, visit: str) -> str:
        return f"/v1/appointments/{self.side.id_of(visit)}"

    def do(self, visit: str, deed: str, body: Any = None, *, step: str = "", who: str = "desk") -> None:
        """Do something to a visit as it is now."""
        path = self.path(visit)
        tag = self.side.send(who, "GET", path).headers["ETag"]
        method, where = ("PATCH", path) if deed == "change" else ("POST", f"{path}/{deed}")
        self.side.ask(step or f"{visit}: {deed}", method, where, body or {}, who=who, If_Match=tag)

    def work(self) -> None:
        """Monday to Friday: booked, moved, come, not come, called off in time and late, noted."""
        move = {"start_local": f"{self.day(1)}T15:00:00", "time_zone": PORTAL_ZONE}
        self.book("visit a", 0, 9, patient=1, clinician=2)
        self.book("visit b", 0, 11, patient=2, clinician=3, far=True)
        self.do("visit a", "check-in")
        self.do("visit a", "complete")
        self.do("visit b", "no-show")
        self.note("visit a", "note a")
        self.book("visit c", 1, 9, patient=3, clinician=1)
        self.book("visit d", 1, 11, patient=4, clinician=2, far=True)
        self.do("visit c", "reschedule", move)
        self.do("visit c", "complete")
        self.do("visit d", "cancel", {"reason": "illness", "initiated_by": "patient"})
        self.book("visit e", 2, 9, patient=5, clinician=3)
        self.book("visit f", 2, 11, patient=6, clinician=1)
        self.do("visit e", "change", {"duration_minutes": 60, "service_code": "90837"})
        self.do("visit e", "check-in")
        self.do("visit f", "cancel", {"reason": "other", "initiated_by": "patient", "late": True})
        self.book("visit g", 3, 9, patient=7, clinician=2)
        self.do("visit g", "no-show")
        self.do("visit g", "reopen")
        self.book("visit h", 4, 9, patient=10, clinician=2, far=True, external_ids=[{"system": "urn:example:crm", "value": "h"}])
        self.side.ask("visit h again by its external id", "POST", "/v1/appointments",
                      self.wanted(4, 13, patient=10, clinician=2, far=True)
                      | {"external_ids": [{"system": "urn:example:crm", "value": "h"}]})  # fmt: skip
        self.do("visit h", "complete")
        self.note("visit h", "note h")
        path = f"/v1/clinical-notes/{self.side.id_of('note h')}"
        self.side.ask("an addendum", "POST", f"{path}/addenda", {"text": "The patient called."}, who="clinician 2")
        self.side.ask("an addendum of no words", "POST", f"{path}/addenda", {"text": ""}, who="clinician 2")

    def note(self, visit: str, means: str) -> None:
        """Have a visit noted and signed, and look at what can be seen of that."""
        id = self.note_at_work(self.side, visit)
        self.side.meaning[id] = means
        self.side.ask(means, "GET", f"/v1/clinical-notes/{id}")
        patient = self.side.send("desk", "GET", self.path(visit)).json()["patient_id"]
        self.side.ask(f"{means} beside the others", "GET", f"/v1/clinical-notes?patient_id={patient}&sort=service_on")

    # What is refused

    def refusals(self) -> None:
        """Ask for what cannot be: it is told in the same words."""
        ask, id_of = self.side.ask, self.side.id_of
        taken = self.wanted(0, 9, patient=11, clinician=2)
        for name, body in {
            "a slot that is taken": taken,
            "a code that there is not": taken | {"service_code": "99999"},
            "no time": {k: v for k, v in taken.items() if k != "start_local"},
            "nobody": {k: v for k, v in taken.items() if k != "patient_id"},
            "a patient that there is not": taken | {"patient_id": f"pat_{GONE}"},
            "a patient of another practice": taken | {"patient_id": self.foreign["patient"]},
            "a clinician of no such kind": taken | {"clinician_id": id_of("patient 1")},
            "an unknown field": taken | {"colour": "blue"},
            "no minutes": taken | {"duration_minutes": 0},
            "a wall time that clocks skip": taken | {"start_local": f"{self.day(0).year + 1}-03-14T02:30:00"},
        }.items():
            ask(f"booked with {name}", "POST", "/v1/appointments", body)
        for name, id in {"there is not": f"appt_{GONE}", "is of another practice": self.foreign["appointment"], "is none": "x"}.items():
            ask(f"an appointment that {name}", "GET", f"/v1/appointments/{id}")
            ask(f"cancel one that {name}", "POST", f"/v1/appointments/{id}/cancel", {}, If_Match='"1-x"')
        ask("a patient that there is not", "GET", f"/v1/patients/pat_{GONE}")
        ask("a patient of another practice", "GET", f"/v1/patients/{self.foreign['patient']}")
        ask("a note that there is not", "GET", f"/v1/clinical-notes/note_{GONE}")
        ahead = self.first_to_come()
        self.do(ahead, "complete", step="complete what is to come")
        self.do(ahead, "no-show", step="missed what is to come")
        self.do("visit d", "cancel", step="cancel what is cancelled")
        self.do("visit a", "reschedule", {"start_local": f"{self.day(4)}T17:00:00", "time_zone": PORTAL_ZONE},
                step="move what took place")  # fmt: skip
        self.do("visit g", "cancel", {"reason": "because"}, step="cancel for a reason that is none")
        self.do("visit g", "reschedule", {"start_local": f"{self.day(4)}T16:00:00"}, step="move without a zone")
        ask("cancel without a version", "POST", f"{self.path('visit g')}/cancel", {})
        ask("cancel an old version", "POST", f"{self.path('visit g')}/cancel", {}, If_Match='"0-0"')
        ask("cancel without a key", "POST", f"{self.path('visit g')}/cancel", {}, If_Match='"0-0"', Idempotency_Key="")
        ask("cancel as the biller", "POST", f"{self.path('visit g')}/cancel", {}, who="biller", If_Match='"0-0"')
        ask("notes for the biller", "GET", f"/v1/clinical-notes/{id_of('note a')}", who="biller")
        for name, query in {
            "an unknown filter": "colour=blue", "an unknown status": "status=lost", "a cursor that is none": "cursor=x",
            "too many": "limit=1000", "an unknown order": "sort=colour", "a day that is none": "start_at[gte]=yesterday",
            "a clinician that is none": "clinician_id=x",
        }.items():  # fmt: skip
            ask(f"appointments by {name}", "GET", f"/v1/appointments?{query}")
        ask("a search for nothing", "POST", "/v1/patients/search", {})
        ask("a search for one letter", "POST", "/v1/patients/search", {"name": "a"})

    def first_to_come(self) -> str:
        """Return the first visit of the history that has not begun."""
        answer = self.side.send("desk", "GET", f"/v1/appointments?status=booked&start_at[gte]={self.at(28)}&limit=1")
        return self.side.meaning[answer.json()["data"][0]["id"]]

    # After it

    def look_at_the_week(self) -> None:
        """The week as it then stands: for each clinician, each patient, each status, and each visit."""
        ask, id_of = self.side.ask, self.side.id_of
        within = f"start_at[gte]={self.at(0)}&start_at[lt]={self.at(5)}"
        for number in CLINICIANS:
            ask(f"the week of clinician {number}", "GET",
                f"/v1/appointments?clinician_id={id_of(f'clinician {number}')}&{within}&limit=100")  # fmt: skip
        ask("three of the week", "GET", f"/v1/appointments?{within}&limit=3")
        for status in ("booked", "checked_in", "completed", "cancelled", "late_cancelled", "no_show"):
            ask(f"what is {status}", "GET", f"/v1/appointments?status={status}&{within}")
        for patient in (1, 4, 6, 10):
            ask(f"visits of patient {patient}", "GET", f"/v1/appointments?patient_id={id_of(f'patient {patient}')}&limit=100")
        for visit in "abcdefgh":
            ask(f"visit {visit} at the end", "GET", self.path(f"visit {visit}"))
            ask(f"what happened to visit {visit}", "GET", f"{self.path(f'visit {visit}')}/history")
