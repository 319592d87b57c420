"""What a person is told about a claim that was turned away or runs out of time: the reason, and what to do."""

from __future__ import annotations

from dataclasses import dataclass

_CATEGORIES = {
    "A3": "The payer or clearinghouse returned it unprocessed.",
    "A4": "The payer does not find what it is about.",
    "A6": "The payer misses something in it.",
    "A7": "The payer takes something in it for wrong.",
    "A8": "Two things in it do not go together for the payer.",
}
_STATUSES = {
    "21": "Something is missing or wrong: see the other codes, or ask the payer.",
    "24": "Compare the practice's NPI, tax id and name with the payer's enrolment.",
    "33": "The payer does not know the subscriber: compare name, birth date and member id with the card.",
    "85": "The payer does not take this place of service or facility: look at the lines.",
    "97": "The patient is not covered there: run eligibility for the day of service.",
    "116": "It went to the wrong payer: look at the policy's payer and its id at the clearinghouse.",
    "122": "The subscriber's name is missing or wrong.",
    "124": "The payer wants name, address or phone mended.",
    "125": "The subscriber's name is missing or wrong.",
    "126": "An address is missing or wrong.",
    "145": "The taxonomy code is not the one that the payer has enrolled.",
    "153": "An identifier of a provider is missing or wrong.",
    "158": "The birth date is not the payer's: compare it with the card.",
    "164": "The member id is not the payer's: compare it with the card.",
    "187": "The day of service is missing or wrong.",
    "254": "The principal diagnosis is missing or not taken.",
    "255": "A diagnosis is missing or not taken.",
    "453": "The modifier is missing or not taken with this code.",
    "454": "The service code is not taken.",
    "507": "The payer does not know the code.",
    "562": "An NPI is missing or wrong.",
}
"""Claim status code -> what to look at, in our words."""
_REFUSALS = {
    "login-refused": "The clearinghouse refused the login: put the channel's secret right, then send the claim again.",
    "certificate-refused": "The clearinghouse's certificate is not trusted: compare the channel's address.",
    "claim-edits": "The clearinghouse's own edits refused the claim: look the codes up there, and put right what they name.",
    "account-suspended": "The clearinghouse has suspended the account: ask it.",
    "upload-refused": "The clearinghouse took no file: see its list of uploads for the reason, then send the claim again.",
    "file-too-large": "The file is too large for the clearinghouse: send smaller batches.",
}


@dataclass(frozen=True, slots=True)
class Told:
    """What a work item says."""

    reason: str
    todo: str


def tell(*, kind: str, code: str) -> Told:
    """
    Return why there is an item, and what to do.

    >>> tell(kind="rejected", code="277CA:A7:164").todo
    "The member id is not the payer's: compare it with the card. Then validate the claim and send it again."
    """
    if kind == "filing":
        if code == "passed":
            return Told(
                "The payer's time limit has passed.",
                "Look for a proof of earlier filing, ask the payer for an exception, or write it off.",
            )
        return Told("The payer's time limit is near.", "Mend what holds the claim up, and send it.")
    if kind == "status":
        return _status(code)
    if kind == "doubt":
        return Told(
            "Nobody can tell whether the claim's file arrived.",
            "Look for the file at the clearinghouse, by its name and day, and say what you saw (settle-doubt).",
        )
    if kind == "refused" and code == "not-delivered":
        return Told(
            "The file was tried many times, and the clearinghouse has not taken it.",
            "See whether the clearinghouse is in trouble, and whether the channel's address is right; it is tried on, each hour.",
        )
    if kind == "refused":
        return Told(
            "The clearinghouse refused the file.",
            _REFUSALS.get(code.partition(":")[0], "Put right what the code names, then validate the claim and send it again."),
        )
    source, _, rest = code.partition(":")
    again = "Then validate the claim and send it again."
    if source == "TA1":
        return Told(
            "The whole file was turned away at the envelope.",
            f"Compare the channel's ids with those of the clearinghouse, with the code beside you. {again}",
        )
    if source in ("999", "997"):
        return Told(
            "The file was turned away for its form.",
            f"The acknowledgement names segment and element; mend what stands there. {again}",
        )
    category, _, status = rest.partition(":")
    return Told(
        _CATEGORIES.get(category, "It was turned away before the payer decided."),
        f"{_STATUSES.get(status, 'Look the status code up at the payer.')} {again}",
    )


_ANSWERS = {
    "unanswered": Told(
        "The payer was asked what became of the claim, and did not answer.",
        "See whether the question left (the claim's status inquiries), then ask again or call the payer."
        " If it has no such claim, reopen the claim and send it anew.",
    ),
    "not_found": Told(
        "The payer says it does not have the claim.",
        "Compare payer and member id; with an acknowledgement at hand call the payer, else reopen the claim, mend it and send it anew.",
    ),
    "information_requested": Told(
        "The payer waits for information.",
        "Look the status code up, and send the payer what it asks for.",
    ),
    "paid": Told(
        "The payer says it paid, and no remittance is here.",
        "Look for the payment by the number and day it names, and fetch or enter the remittance.",
    ),
    "denied": Told(
        "The payer says it denied the claim, and no remittance is here.",
        "Fetch or enter the remittance: it has the reason. Then correct or appeal in time.",
    ),
}


def _status(code: str) -> Told:
    """Tell of an answer by its standing: the code is `277:F1:65:paid`, or `unanswered`."""
    return _ANSWERS.get(code.rpartition(":")[2], _ANSWERS["unanswered"])
