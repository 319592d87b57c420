"""Inquiries and answers of 270, 271, 276 and 277 as hypothesis draws them."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import strategies as st

from rapport.protocols.x12 import elig270, elig271, status276, status277
from rapport.protocols.x12.elig270 import Fact, Inquiry, Insured, Question, Receiver
from rapport.protocols.x12.elig271 import Answer, Asker, Benefit, Entity, Member, Refusal, Source
from rapport.protocols.x12.entities import (
    Address,
    Contact,
    Party,
    Period,
    Reference,
    SetWriter,
    Specialty,
    Trace,
)
from rapport.protocols.x12.envelope import Address as Station
from rapport.protocols.x12.envelope import Numbers, interchange
from rapport.protocols.x12.tests.strategies import AT, BIRTHS, CENTS, DAYS, NPIS, TEXTS, TOKENS

SERVICE_TYPES = st.lists(
    st.sampled_from(("30", "MH", "A6", "CF", "A8", "98", "A4", "AI", "1", "UC")),
    min_size=1, max_size=5, unique=True,
).map(tuple)  # fmt: skip
CHARGES = st.integers(0, 999_999).map(lambda cents: Decimal(cents) / 100)
FRACTIONS = st.integers(0, 100).map(lambda percent: Decimal(percent) / 100)
PHONES = st.integers(2_000_000_000, 9_899_999_999).map(str)
EMPTY = st.just("")


def some(strategy: st.SearchStrategy[object], most: int = 2) -> st.SearchStrategy[tuple]:  # type: ignore[type-arg]
    """Draw a few as a tuple."""
    return st.lists(strategy, max_size=most).map(tuple)


def person(role: str, *, with_id: bool) -> st.SearchStrategy[Party]:
    """Draw somebody with a name, and a member id where the guide has one."""
    return st.builds(
        Party, st.just(role), st.just("1"), TEXTS, TEXTS, EMPTY | TEXTS, st.sampled_from(("", "JR")),
        st.just("MI" if with_id else ""), TOKENS if with_id else EMPTY,
    )  # fmt: skip


PAYERS = st.builds(Party, st.just("PR"), st.just("2"), TEXTS, id_kind=st.just("PI"), id=TOKENS)
PROVIDERS = st.builds(Party, st.just("1P"), st.just("2"), TEXTS, id_kind=st.just("XX"), id=NPIS)
SENDERS = st.builds(Party, st.just("41"), st.just("2"), TEXTS, id_kind=st.just("46"), id=TOKENS)
PLACES = st.builds(
    Address, TEXTS, EMPTY | TEXTS, TEXTS, st.sampled_from(("CT", "NY")), st.just("06105"), EMPTY
)
CONTACTS = st.builds(
    Contact, EMPTY | TEXTS,
    st.lists(st.tuples(st.sampled_from(("TE", "FX")), PHONES), min_size=1, max_size=2).map(tuple),
)  # fmt: skip
TRACES = st.builds(Trace, st.just("1"), TOKENS, st.just("9512345678"), EMPTY)
FACTS = st.builds(Fact, st.just("ZZ"), st.sampled_from(("02", "10", "11")))


def periods(*kinds: str) -> st.SearchStrategy[Period]:
    """Draw days and spans of some kinds."""
    days = st.tuples(DAYS, DAYS).map(sorted)
    return st.builds(
        lambda kind, both, span: Period.on(kind, both[0], both[1] if span else None),
        st.sampled_from(kinds), days, st.booleans(),
    )  # fmt: skip


def references(*kinds: str) -> st.SearchStrategy[Reference]:
    """Draw numbers of some kinds."""
    return st.builds(Reference, st.sampled_from(kinds), TOKENS, EMPTY)


def unique(kinds: tuple[str, ...]) -> st.SearchStrategy[tuple[Reference, ...]]:
    """Draw numbers of different kinds, in the order of the guide."""
    return st.lists(st.sampled_from(kinds), max_size=2, unique=True).flatmap(
        lambda chosen: st.tuples(
            *(
                st.builds(Reference, st.just(k), TOKENS, EMPTY)
                for k in sorted(chosen, key=kinds.index)
            )
        )
    )


@st.composite
def inquiries(draw: st.DrawFn, *, by_procedure: bool = True, most_facts: int = 2) -> Inquiry:
    """Draw a 270's inquiry about a subscriber or a dependant."""
    dependant = draw(st.booleans())
    known = {
        "birth_on": draw(BIRTHS), "sex": draw(st.sampled_from(("", "F", "M"))),
        "periods": draw(some(periods("291"), 1)), "traces": (draw(TRACES),),
    }  # fmt: skip
    holder = draw(person("IL", with_id=True))
    question = st.builds(
        Question, SERVICE_TYPES, facts=some(FACTS, most_facts), references=some(references("G1"), 1)
    )
    if by_procedure:
        question |= st.builds(Question, procedure=st.just(("HC", "90837", "95")))
    return Inquiry(
        payer=draw(PAYERS),
        provider=draw(
            st.builds(Receiver, PROVIDERS, some(references("TJ"), 1), st.none() | PLACES,
                      st.none() | st.just(Specialty("BI", "PXC", "101YM0800X")))
        ),
        subscriber=Insured(holder) if dependant else Insured(holder, **known),
        dependant=Insured(
            draw(person("03", with_id=False)), insured="N", relation="19", **known
        ) if dependant else None,
        questions=tuple(draw(st.lists(question, min_size=1, max_size=3))),
    )  # fmt: skip


REFUSALS = st.builds(
    Refusal, st.sampled_from("YN"), st.sampled_from(("15", "42", "51")), st.sampled_from("CNR")
)
ENTITIES = st.builds(
    Entity,
    st.builds(Party, st.sampled_from(("X3", "VN", "PR", "P3")), st.just("2"), TEXTS,
              id_kind=st.just("PI"), id=TOKENS),
    st.none() | PLACES, some(CONTACTS), st.none() | st.just(Specialty("PE", "PXC", "103TC0700X")),
)  # fmt: skip


@st.composite
def benefits(draw: st.DrawFn) -> Benefit:
    """Draw a row: any kind, with any of what may follow it."""
    share = draw(st.booleans())
    counted = draw(st.booleans())
    return Benefit(
        info=draw(st.sampled_from(("1", "6", "A", "B", "C", "F", "G", "I", "U", "CB", "MC", "R"))),
        level=draw(st.sampled_from(("", "IND", "FAM"))), service_types=draw(SERVICE_TYPES),
        insurance_type=draw(st.sampled_from(("", "PR", "HM"))), plan=draw(EMPTY | TEXTS),
        time=draw(st.sampled_from(("", "23", "27", "29", "32"))),
        amount=None if share else draw(st.none() | CHARGES),
        percent=draw(FRACTIONS) if share else None,
        quantity_kind="VS" if counted else "",
        quantity=Decimal(draw(st.integers(0, 99))) if counted else None,
        authorisation=draw(st.sampled_from(("", "Y", "N", "U"))),
        in_network=draw(st.sampled_from(("", "Y", "N", "W", "U"))),
        deliveries=draw(some(st.just(("VS", "1", "", "", "34", "1")), 1)),
        references=draw(some(references("G1", "18", "6P"))),
        periods=draw(some(periods("292", "348", "290"))),
        refusals=draw(some(st.just(Refusal("Y", "52", "C")), 1)),
        messages=draw(some(TEXTS)), facts=draw(some(FACTS)), entities=draw(some(ENTITIES)),
    )  # fmt: skip


@st.composite
def answers(draw: st.DrawFn, rows: st.SearchStrategy[Benefit] | None = None) -> Answer:
    """Draw a 271's answer about a subscriber or a dependant."""
    dependant = draw(st.booleans())
    told = {
        "references": draw(some(references("6P", "18", "EJ"))),
        "address": draw(st.none() | PLACES), "birth_on": draw(BIRTHS),
        "sex": draw(st.sampled_from(("", "F", "M"))),
        "diagnoses": draw(some(st.just(("ABK", "F411")), 1)),
        "periods": draw(some(periods("346", "347", "291", "307"))),
        "traces": tuple(draw(st.lists(st.builds(Trace, st.sampled_from("12"), TOKENS,
                                                st.just("9512345678")), min_size=1, max_size=2))),
        "refusals": draw(some(st.just(Refusal("Y", "71", "C")), 1)),
        "military": draw(st.just(()) | st.just(("A", "AO", "A"))),
        "benefits": tuple(draw(st.lists(rows or benefits(), min_size=1, max_size=4))),
    }  # fmt: skip
    holder = draw(person("IL", with_id=True))
    return Answer(
        payer=draw(st.builds(Source, PAYERS, some(CONTACTS), st.just(()))),
        provider=draw(
            st.builds(Asker, PROVIDERS, some(references("TJ"), 1), st.none() | PLACES,
                      st.none() | st.just(Specialty("BI", "PXC", "101YM0800X")), some(REFUSALS, 1))
        ),
        subscriber=Member(holder) if dependant else Member(holder, **told),
        dependant=Member(draw(person("03", with_id=False)), insured="N", relation="19", **told)
        if dependant else None,
    )  # fmt: skip


PROCEDURES = st.sampled_from((("HC", "90837", "95"), ("HC", "90791"), ("HC", "H0004", "HO", "HQ")))


@st.composite
def status_inquiries(draw: st.DrawFn, *, most_lines: int = 2) -> status276.StatusInquiry:
    """Draw a 276's inquiry: claims with or without their lines."""
    dependant = draw(st.booleans())
    born = {"birth_on": draw(BIRTHS), "sex": draw(st.sampled_from(("", "F", "M")))}
    line = st.builds(
        status276.LineAsked, PROCEDURES, CENTS, st.just(Decimal(1)), EMPTY | TOKENS, periods("472")
    )
    claim = st.builds(
        status276.ClaimAsked, TOKENS, unique(("1K", "BLT", "6P", "EJ", "D9")), st.none() | CENTS,
        periods("472"), some(line, most_lines),
    )  # fmt: skip
    claims = tuple(draw(st.lists(claim, min_size=1, max_size=3, unique_by=lambda one: one.trace)))
    holder = draw(person("IL", with_id=True))
    return status276.StatusInquiry(
        draw(PAYERS), draw(SENDERS), draw(PROVIDERS),
        status276.Person(holder) if dependant else status276.Person(holder, **born), claims,
        status276.Person(draw(person("QC", with_id=False)), **born) if dependant else None,
    )  # fmt: skip


def statuses(*, of_a_line: bool) -> st.SearchStrategy[status277.Status]:
    """Draw an STC: those of a line have no amounts."""
    reason = st.builds(
        status277.Reason, st.sampled_from(("A1", "P1", "F0", "F1", "F2", "R4", "D0", "E1", "F3F")),
        st.sampled_from(("20", "65", "84", "107")), st.sampled_from(("", "QC", "PR")),
    )  # fmt: skip
    reasons = st.lists(reason, min_size=1, max_size=3).map(tuple)
    if of_a_line:
        return st.builds(status277.Status, reasons, DAYS)
    return CENTS.flatmap(
        lambda charge: st.builds(
            status277.Status, reasons, DAYS, EMPTY, st.just(charge),
            st.none() | st.just(charge) | st.just(Decimal(0)), st.none() | DAYS, EMPTY,
            st.none() | DAYS, EMPTY | TOKENS,
        )
    )  # fmt: skip


@st.composite
def status_answers(draw: st.DrawFn, *, most_lines: int = 2) -> status277.StatusAnswer:
    """Draw a 277's answer about claims, or about a request that was refused as a whole."""
    line = st.builds(
        status277.LineStatus, PROCEDURES, CENTS, CENTS, st.just(Decimal(1)),
        st.lists(statuses(of_a_line=True), min_size=1, max_size=2).map(tuple), EMPTY | TOKENS,
        periods("472"),
    )  # fmt: skip
    about = draw(st.sampled_from(("receiver", "provider", "subscriber", "dependant")))
    whole = about in ("receiver", "provider")
    claim = st.builds(
        status277.ClaimStatus, TOKENS,
        st.lists(statuses(of_a_line=whole), min_size=1, max_size=2).map(tuple),
        st.just(()) if whole else unique(("1K", "BLT", "EJ", "D9")),
        st.none() if whole else st.none() | periods("472"),
        st.just(()) if whole else some(line, most_lines),
    )  # fmt: skip
    return status277.StatusAnswer(
        payer=draw(PAYERS), receiver=draw(SENDERS),
        provider=None if about == "receiver" else draw(PROVIDERS),
        subscriber=None if whole else draw(person("IL", with_id=True)),
        dependant=draw(person("QC", with_id=False)) if about == "dependant" else None,
        claims=tuple(draw(st.lists(claim, min_size=1, max_size=1 if whole else 3))),
        contacts=draw(some(CONTACTS, 1)),
    )  # fmt: skip


VERSIONS = {"270": "005010X279A1", "271": "005010X279A1", "276": "005010X212", "277": "005010X212"}


def file_of(kind: str, body: SetWriter, newline: str = "\n") -> bytes:
    """Put a set into its envelope."""
    return b"".join(
        interchange(
            [(kind, body.segments)], sender=Station("ZZ", "CLINICBH01"),
            receiver=Station("ZZ", "60054"), numbers=Numbers(1, 1, 1), at=AT, usage="T",
            version=VERSIONS[kind], newline=newline,
        )
    )  # fmt: skip


def written(kind: str, *records: object) -> bytes:
    """Write records of a guide as a whole interchange."""
    write = {
        "270": elig270.write, "271": elig271.write, "276": status276.write, "277": status277.write,
    }[kind]  # fmt: skip
    return file_of(kind, write(records, reference="R1", at=AT))  # type: ignore[operator]
