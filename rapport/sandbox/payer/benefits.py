"""
What a payer says of a member's benefits: the 271 to a 270, by the member id alone.

Whatever the question asks (EQ), the plan and mental health are answered, as many payers do.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from rapport.sandbox.payer.inquiries import Patient, again, patients, reference_of
from rapport.sandbox.payer.scenarios import PREFIX
from rapport.sandbox.payer.x12 import Segment, TransactionSet, segment

VERSION_271 = "005010X279A1"
PLAN = "EB*1**30*PR*EXAMPLE PPO"
KINDS_OF_CARE = "EB*1**1^33^35^47^48^50^86^88^98^AL^MH^UC"
MONEY = (
    "EB*C*IND*30***23*1500*****Y", "EB*C*IND*30***29*640*****Y",
    "EB*C*FAM*30***23*3000*****Y", "EB*C*FAM*30***29*2100*****Y",
    "EB*G*IND*30***23*6000*****Y", "EB*G*IND*30***29*5110*****Y",
)  # fmt: skip
OUT_OF_NETWORK = "EB*A**MH***27**.4****N"
ONE_PATIENT = ("AAA*Y**04*N",)
"""More than one patient was asked about in real time."""


class Cover(StrEnum):
    """What a member is entitled to. The value is what follows SBX in the member id."""

    USUAL = ""
    FREE = "FULL"
    DEDUCTIBLE = "DED"
    COINSURANCE = "COIN"
    NEEDS_AUTHORISATION = "AUTH"
    NOT_AUTHORISED = "CO197"
    NOT_COVERED = "PR204"
    OTHER_PAYER_FIRST = "COB"
    CARVED_OUT = "CARVE"
    PLAN_ONLY = "PLAN30"
    INACTIVE = "INACT"
    NOT_FOUND = "AAA75"
    CLAIMS_NOT_FOUND = "277"
    BAD_ID = "AAA72"
    OTHER_BIRTHDAY = "AAA71"
    PROVIDER_UNKNOWN = "AAA51"
    PAYER_UNKNOWN = "AAA79"
    LATER = "AAA42"
    SILENT = "NEVER"


def cover_of(member_id: str) -> Cover:
    """A member's cover: the longest name after SBX that the id begins with, else the usual one."""
    wanted = member_id.strip().upper()
    if not wanted.startswith(PREFIX):
        return Cover.USUAL
    rest = wanted.removeprefix(PREFIX)
    matching = [one for one in Cover if one.value and rest.startswith(one.value)]
    return max(matching, key=lambda one: len(one.value), default=Cover.USUAL)


def silent(member_id: str) -> bool:
    """Whether nothing is ever answered about this member."""
    return cover_of(member_id) is Cover.SILENT


_ABOUT_THE_PATIENT = {
    Cover.NOT_FOUND: "75", Cover.CLAIMS_NOT_FOUND: "75", Cover.BAD_ID: "72",
    Cover.OTHER_BIRTHDAY: "71",
}  # fmt: skip
_ABOUT_THE_PAYER = {Cover.LATER: "AAA*Y**42*R", Cover.PAYER_UNKNOWN: "AAA*N**79*C"}
_WHO_TO_CALL = (
    "LS*2120", "NM1*VN*2*EXAMPLE BEHAVIORAL*****PI*BEH01", "N3*1 CARE WAY", "N4*DENVER*CO*80202",
    "PER*IC*INTAKE*TE*8005550177*FX*8005550178", "LE*2120",
)  # fmt: skip
_FIRST_PAYER = (
    "EB*R**30", "REF*18*M1", "LS*2120", "NM1*PRP*2*EXAMPLE PRIMARY PLAN*****PI*PRIME01", "LE*2120",
)  # fmt: skip


def rows_of(cover: Cover) -> tuple[str, ...]:
    """The benefit rows of a member: EB with what follows each."""
    plan = (PLAN, KINDS_OF_CARE, *MONEY)
    usual = ("EB*B**98***27*30*****Y", "EB*B**MH***27*25*****Y", OUT_OF_NETWORK)
    match cover:
        case Cover.INACTIVE:
            return ("EB*6**30", "EB*6**MH")
        case Cover.PLAN_ONLY:
            return (PLAN, *MONEY)
        case Cover.FREE:
            return (PLAN, KINDS_OF_CARE, "EB*B**MH***27*0*****Y")
        case Cover.DEDUCTIBLE:
            return (
                PLAN, KINDS_OF_CARE, "EB*C*IND*30***23*1500*****Y", "EB*C*IND*30***29*1500*****Y",
                "EB*A**MH***27**0****Y",
            )  # fmt: skip
        case Cover.COINSURANCE:
            return (*plan, "EB*A**MH***27**.2****Y", OUT_OF_NETWORK)
        case Cover.NEEDS_AUTHORISATION | Cover.NOT_AUTHORISED:
            return (
                *plan, "EB*B**MH***27*25****Y*Y", "EB*F**MH***23***VS*20*Y*Y",
                "MSG*PRIOR AUTHORIZATION REQUIRED AFTER 8 VISITS", "EB*F**MH***29***VS*12*Y*Y",
            )  # fmt: skip
        case Cover.NOT_COVERED:
            return (PLAN, "EB*1**1^33^47^98", *MONEY, "EB*I**MH^A6^CF")
        case Cover.CARVED_OUT:
            message = "MSG*BEHAVIORAL HEALTH IS ADMINISTERED BY EXAMPLE BEHAVIORAL"
            return (PLAN, *MONEY, "EB*U**MH^A6^CF", message, *_WHO_TO_CALL)
        case Cover.OTHER_PAYER_FIRST:
            return (*plan, *usual, *_FIRST_PAYER)
        case _:
            return (*plan, *usual)


def write_271(transaction: TransactionSet, number: str, *, at: datetime) -> list[str]:
    """The answer to one 270, patient by patient; levels of the same payer and provider are shared."""
    lines = [
        segment("ST", "271", number, VERSION_271),
        segment(
            "BHT", "0022", "11", reference_of(transaction), f"{at:%Y%m%d}", f"{at:%H%M}"
        ),
    ]  # fmt: skip
    tree = _Tree(lines)
    for patient in patients(transaction):
        cover = cover_of(patient.member_id)
        if cover is Cover.SILENT:
            continue
        if not patient.member_id:
            cover = Cover.NOT_FOUND
        if cover in _ABOUT_THE_PAYER:
            tree.payer(patient, False, _ABOUT_THE_PAYER[cover])
        elif cover is Cover.PROVIDER_UNKNOWN:
            tree.receiver(patient, False, "AAA*Y**51*C")
        else:
            tree.patient(patient, cover, at)
    return lines


def refuse_271(transaction: TransactionSet, number: str, *, at: datetime) -> list[str]:
    """The answer to a 270 of more patients than one, in real time: nothing is said of any."""
    first = next(patients(transaction))
    lines = [
        segment("ST", "271", number, VERSION_271),
        segment("BHT", "0022", "11", reference_of(transaction), f"{at:%Y%m%d}", f"{at:%H%M}"),
    ]
    _Tree(lines).payer(first, False, *ONE_PATIENT)
    return lines


class _Tree:
    """The levels of an answer: each opened once for those that follow one another."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._count = 0
        self._payer: tuple[str, int] = ("", 0)
        self._receiver: tuple[str, int] = ("", 0)

    def _level(self, parent: int, code: str, has_child: bool) -> int:
        self._count += 1
        above = str(parent) if parent else ""
        self._lines.append(segment("HL", str(self._count), above, code, "1" if has_child else "0"))
        return self._count

    def payer(self, patient: Patient, has_child: bool, *refusals: str) -> int:
        name = again(patient.payer)
        if refusals or self._payer[0] != name:
            level = self._level(0, "20", has_child)
            self._lines += [*refusals, name]
            self._payer = ("" if refusals else name, level)
            self._receiver = ("", 0)
        return self._payer[1]

    def receiver(self, patient: Patient, has_child: bool, *refusals: str) -> int:
        above = self.payer(patient, True)
        name = again(patient.receiver)
        if refusals or self._receiver[0] != name:
            level = self._level(above, "21", has_child)
            self._lines += [name, *refusals]
            self._receiver = ("" if refusals else name, level)
        return self._receiver[1]

    def patient(self, patient: Patient, cover: Cover, at: datetime) -> None:
        above = self.receiver(patient, True)
        dependant = patient.dependant
        level = self._level(above, "22", dependant is not None)
        if dependant is None:
            self._lines += _traces(patient)
        self._lines.append(again(patient.member))
        if dependant is not None:
            self._level(level, "23", False)
            self._lines += [*_traces(patient), again(dependant)]
        if cover in _ABOUT_THE_PATIENT:
            self._lines.append(segment("AAA", "Y", "", _ABOUT_THE_PATIENT[cover], "C"))
        for tag in ("DMG", "INS"):
            self._lines += [again(one) for one in patient.segments if one.tag == tag]
        if cover not in _ABOUT_THE_PATIENT:
            self._lines += [*_plan_year(cover, at), *rows_of(cover)]


def _traces(patient: Patient) -> Sequence[str]:
    return [
        again(Segment(("TRN", "2", *one.elements[2:])))
        for one in patient.segments
        if one.tag == "TRN"
    ]


def _plan_year(cover: Cover, at: datetime) -> Sequence[str]:
    if cover is Cover.INACTIVE:
        year = at.year - 1
        return (f"DTP*346*D8*{year}0101", f"DTP*347*D8*{year}1231")
    return (f"DTP*346*D8*{at.year}0101", f"DTP*347*D8*{at.year}1231")
