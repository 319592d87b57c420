"""Claims as hypothesis draws them: canonical ones, and ones with hostile text."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from rapport.protocols.x12 import claim837p as c
from rapport.protocols.x12.envelope import Address, Numbers, interchange

drawn = settings(
    max_examples=25,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),  # shrinking a claim takes minutes
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
AT = datetime(2026, 1, 5, 9, 30)  # noqa: DTZ001 - the sender's local time, as ISA09/10 want it
SUBMITTER = c.Submitter(
    "EXAMPLE BILLING", "CLINICBH01", "BILLING OFFICE", "8605550100", "EXAMPLE CLEARINGHOUSE", "CH01"
)
HOSTILE = (
    "SMITH*JOHN~NM1*IL", "A:B", "A^B", "O'BRIEN\r\nSE*1*0001~", "MÜLLER", "X" * 200, "ŁÓDŹ “Q” 日本 A",
    "A\x00B\x1dC", "~AB~~", "  AB  ",
)  # fmt: skip
"""Each keeps at least two letters when it is made fit to send."""


def npi(base: int) -> str:
    """Return the NPI with these first nine digits."""
    nine = f"{base:09}"
    total = 24
    for number, digit in enumerate(reversed(nine)):
        value = int(digit) * (1 if number % 2 else 2)
        total += value - 9 if value > 9 else value
    return nine + str(-total % 10)


NPIS = st.integers(100_000_000, 299_999_999).map(npi)
DAYS = st.dates(date(2025, 10, 1), date(2026, 1, 4))
BIRTHS = st.dates(date(1930, 1, 1), date(2020, 12, 31))
CENTS = st.integers(1, 99_999).map(lambda cents: Decimal(cents) / 100)
WORDS = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=2, max_size=7)
"""Short enough that three of them fit every element: nothing is cut."""
TEXTS = st.lists(WORDS, min_size=1, max_size=3).map(" ".join)
TOKENS = st.text("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789", min_size=4, max_size=12)
ATTACHMENTS = st.builds(
    c.Attachment, st.sampled_from(("OZ", "08", "09")), st.sampled_from(("EL", "FX", "BM")), TOKENS
) | st.just(c.Attachment("OZ", "AA"))
TAXONOMIES = st.sampled_from(("101YM0800X", "103TC0700X", "1041C0700X", "261QM0801X"))


def places(text: st.SearchStrategy[str], *, nine: bool = False) -> st.SearchStrategy[c.Place]:
    """Draw addresses; with nine-digit ZIP codes only where they must be."""
    zips = st.integers(10_000_0000, 999_999_999).map(str)
    short = st.integers(10_000, 99_999).map(str)
    return st.builds(
        c.Place, text, text, st.sampled_from(("CT", "NY", "CA", "TX")),
        zips if nine else zips | short, st.just("") | text,
    )  # fmt: skip


def names(text: st.SearchStrategy[str], *, person: bool = True) -> st.SearchStrategy[c.Name]:
    """Draw names of people, or of organisations."""
    if not person:
        return st.builds(c.Name, text)
    return st.builds(c.Name, text, text, st.just("") | text, st.sampled_from(("", "JR")))


def people(text: st.SearchStrategy[str]) -> st.SearchStrategy[c.Person]:
    """Draw patients with all that identifies them."""
    return st.builds(c.Person, names(text), BIRTHS, st.sampled_from("FMU"), places(text))


def clinicians(text: st.SearchStrategy[str]) -> st.SearchStrategy[c.Provider]:
    """Draw rendering providers."""
    return st.builds(c.Provider, names(text), NPIS, TAXONOMIES)


@st.composite
def adjustments(draw: st.DrawFn, amount: Decimal) -> tuple[c.Adjustment, ...]:
    """Draw adjustments that add up to an amount, some of them negative, some with a quantity."""
    groups = draw(st.lists(st.sampled_from(("CO", "PR", "OA", "PI")), max_size=4, unique=True))
    found: list[c.Adjustment] = []
    for group in groups:
        for reason in draw(
            st.lists(st.sampled_from("1 2 3 45 96 A1 B7 253".split()), min_size=1, max_size=3, unique=True)
        ):
            cents = Decimal(draw(st.integers(-9_999, 9_999))) / 100
            found.append(c.Adjustment(group, reason, cents, draw(st.none() | st.just(Decimal(1)))))
    rest = amount - sum((one.amount for one in found), Decimal(0))
    return (*found, c.Adjustment("OA", "23", rest)) if rest else tuple(found)


OWED = st.none() | st.integers(0, 9_999).map(lambda cents: Decimal(cents) / 100)


@st.composite
def line_decisions(draw: st.DrawFn, payer: str, charge: Decimal) -> c.LineAdjudication:
    """Draw what another payer decided about a line, at times about another code."""
    paid = Decimal(draw(st.integers(0, int(charge * 100)))) / 100
    procedure = draw(st.sampled_from(("", "", "90832")))
    return c.LineAdjudication(
        payer, paid, Decimal(draw(st.integers(0, 3))), draw(DAYS), draw(adjustments(charge - paid)),
        procedure, draw(st.sampled_from(((), ("59", "95")))) if procedure else (), draw(OWED),
    )  # fmt: skip


@st.composite
def undecided(draw: st.DrawFn, text: st.SearchStrategy[str], rank: str, payer: str) -> c.OtherPayer:
    """Draw another payer who has decided nothing."""
    return c.OtherPayer(
        rank=rank, relationship=draw(st.sampled_from(("18", "01", "19", "G8"))),
        group_number=draw(st.just("") | TOKENS), filing_indicator="CI", paid=None,
        subscriber=c.Person(draw(names(text)), place=draw(st.none() | places(text))),
        member_id=draw(TOKENS), payer=c.Payer(draw(text), payer, draw(st.none() | places(text))),
        claim_number=draw(st.just("") | TOKENS),
    )  # fmt: skip


@st.composite
def other_payers(
    draw: st.DrawFn, text: st.SearchStrategy[str], rank: str, payer: str, lines: list[c.Line],
    total: Decimal | None,
) -> c.OtherPayer:
    """
    Draw a payer who decided before: about each line, or about the claim as a whole.

    :param total: the claim's charge, for the latter
    """
    other = draw(undecided(text, rank, payer))
    remarks = tuple(draw(st.lists(st.sampled_from(("MA01", "N30", "MA130")), max_size=3, unique=True)))
    if total is None:
        paid = sum((d.paid for line in lines for d in line.adjudications if d.payer_id == payer), Decimal(0))
        return replace(other, paid=paid, remarks=remarks)
    paid = Decimal(draw(st.integers(0, int(total * 100)))) / 100
    return replace(
        other, paid=paid, remarks=remarks, adjustments=draw(adjustments(total - paid)),
        adjudicated_on=draw(DAYS), patient_owes=draw(OWED),
    )  # fmt: skip


@st.composite
def claims(draw: st.DrawFn, text: st.SearchStrategy[str] = TEXTS, most_lines: int = 6) -> c.Claim:
    """Draw a claim: office or telehealth, own or dependant's, first or later payer, 1 to n lines."""
    remote, dependant = draw(st.booleans()), draw(st.booleans())
    diagnoses = draw(
        st.lists(
            st.sampled_from(
                "F411 F331 F4310 F902 F4323 F1020 F3181 F840 F419 F329 F4312 Z6379 R45851".split()
            ),
            min_size=1, max_size=12, unique=True,
        )
    )  # fmt: skip
    pointers = st.lists(
        st.integers(1, len(diagnoses)), min_size=1, max_size=min(4, len(diagnoses)), unique=True
    ).map(tuple)
    deciders = draw(st.lists(st.tuples(TOKENS, st.booleans()), max_size=2, unique_by=lambda one: one[0]))
    control = draw(TOKENS)
    lines = []
    for number in range(draw(st.integers(1, most_lines))):
        procedure = draw(st.sampled_from(("90791", "90834", "90837", "90853", "99213", "H0004")))
        charge = draw(CENTS)
        lines.append(
            c.Line(
                procedure=procedure, charge=charge, units=Decimal(draw(st.integers(1, 8))),
                service_on=draw(DAYS), pointers=draw(pointers), control=f"{control}L{number + 1}",
                modifiers=("95",) if remote else (), note=draw(st.just("") | text),
                authorisation=draw(st.just("") | TOKENS),
                adjudications=tuple(
                    draw(line_decisions(payer, charge)) for payer, by_line in deciders if by_line
                ),
            )
        )  # fmt: skip
    total = sum((line.charge for line in lines), Decimal(0))
    others = tuple(
        draw(other_payers(text, rank, payer, lines, total if not by_line else None))
        for rank, (payer, by_line) in zip("PS", deciders, strict=False)
    )
    later = draw(st.lists(TOKENS.filter(lambda id: id not in dict(deciders)), max_size=1))
    others += tuple(draw(undecided(text, "A", payer)) for payer in later)
    holder = draw(people(text))
    frequency = draw(st.sampled_from(("1", "1", "7", "8")))
    return c.Claim(
        control=control,
        billing=draw(
            st.builds(
                c.Provider, names(text, person=False), NPIS, TAXONOMIES,
                st.integers(100_000_000, 999_999_999).map(str), st.just("EI"),
                places(text.map(lambda one: f"1 {one}"), nine=True), st.sampled_from(("", "8605550100")),
            )
        ),
        subscriber=c.Person(holder.name) if dependant else holder,
        member_id=draw(TOKENS),
        payer=c.Payer(draw(text), draw(TOKENS), draw(st.none() | places(text))),
        place_of_service=draw(st.sampled_from(("02", "10"))) if remote else "11",
        diagnoses=tuple(diagnoses),
        lines=tuple(lines),
        rank="PST"[len(deciders)],
        relationship="19" if dependant else "18",
        patient=draw(people(text)) if dependant else None,
        group_number=draw(st.just("") | TOKENS),
        frequency=frequency,
        payer_claim_number=draw(TOKENS) if frequency != "1" else "",
        authorisation=draw(st.just("") | TOKENS),
        referral=draw(st.just("") | TOKENS),
        trace=draw(st.just("") | TOKENS),
        note=draw(st.just("") | text),
        rendering=draw(st.none() | clinicians(text)),
        supervising=draw(st.none() | st.builds(c.Provider, names(text), NPIS)),
        referring=draw(st.none() | st.builds(c.Provider, names(text), NPIS)),
        facility=draw(st.none() | st.builds(c.Facility, text, places(text, nine=True), NPIS)),
        others=others,
        attachments=draw(st.lists(ATTACHMENTS, max_size=3).map(tuple)),
        patient_paid=draw(st.none() | st.just(min(total, Decimal("25")))),
        insurance_type=draw(st.sampled_from(("", "12", "43", "47"))) if deciders else "",
    )  # fmt: skip


def sample_claim() -> c.Claim:
    """Return one plain office visit."""
    return c.Claim(
        control="BH1001",
        billing=c.Provider(
            c.Name("EXAMPLE BEHAVIORAL HEALTH PLLC"), "1234567893", "261QM0801X", "123456789",
            place=c.Place("100 MAIN ST", "HARTFORD", "CT", "061030001"),
        ),
        subscriber=c.Person(
            c.Name("BAKER", "ELI"), date(1985, 2, 14), "M",
            c.Place("22 ELM ST", "HARTFORD", "CT", "06105"),
        ),
        member_id="W123456789",
        payer=c.Payer("EXAMPLE HEALTH PLAN", "60054"),
        place_of_service="11",
        diagnoses=("F411", "F331"),
        lines=(
            c.Line("90837", Decimal("180"), Decimal(1), date(2025, 12, 3), (1, 2), "BH1001L1"),
        ),
    )  # fmt: skip


def file_of(*claims: c.Claim, newline: str = "\n") -> bytes:
    """Write claims as a whole interchange."""
    body = c.write(claims, submitter=SUBMITTER, batch_id="BATCH1", at=AT)
    return b"".join(
        interchange(
            [("837", body.segments)],
            sender=Address("ZZ", "CLINICBH01"),
            receiver=Address("ZZ", "60054"),
            numbers=Numbers(1, 1, 1),
            at=AT,
            usage="T",
            newline=newline,
        )
    )
