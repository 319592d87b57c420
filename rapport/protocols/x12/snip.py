"""
Which kind of test a rule belongs to: the seven types that trading partners speak of (WEDI SNIP).

1 the syntax of X12, 2 what the guide asks, 3 sums that must agree, 4 what one segment asks of another, 5 codes of lists
outside of X12, 6 kinds of service, 7 what sender and receiver know of each other. Ours are 1 to 5, and 7 for
what only they know (was this claim sent from here?). A 999 answers 1 and 2, a claim acknowledgement the rest.
"""

from __future__ import annotations

_RULES = {
    1: """
        ak1-missing ak9-count ak9-missing byte-order-mark cas-outside character claim-unreadable date empty
        empty-segment ge-control-number ge-count ge-missing ge-outside gs-inside hl-child hl-number
        hl-parent id-pair iea-control-number iea-count indentation isa-control-number isa-delimiters
        isa-inside isa-repetition isa-short isa-usage isa-width le-missing ls-missing no-isa number order
        outside-set quantity-pair se-control-number se-count se-missing se-outside segment-tag
        segment-too-long segment-unknown st-control-twice st-inside st-kind st-outside svc-outside time
        too-long too-many-components too-many-elements too-many-segments too-short trailing-blank
        trailing-separator truncated
    """,
    2: """
        address-missing adjudication-date adjustment-group adjustment-too-many ak9-code answer-empty benefit-key birth-date-missing bpr-missing
        charge-negative charge-precision charge-zero claim-missing claim-status code control-number
        diagnosis-missing diagnosis-too-many element-missing ik5-code line-missing line-number line-too-many
        loop-missing loop-repeats lower-case member-id-missing modifier-too-many name-missing
        other-paid-missing other-payer-twice other-subscriber-missing payer-rank-twice
        payer-id-missing percent-range plb-reason po-box pointer-missing question question-missing remark-too-many
        segment-missing segment-repeats segment-unexpected sex ta1-code ta1-control-number ta1-note tax-id
        trn-missing units zip-plus-four
    """,
    3: """
        balance-claim balance-cob-claim balance-cob-line balance-cob-paid balance-line balance-transaction charge-total
        paid-over-charge patient-responsibility
    """,
    4: """
        amount-or-percent birth-date-future birth-date-past claim-twice diagnosis-twice duplicate-line
        line-control modifier-twice npi-missing patient-search payer-claim-number payer-unknown
        pointer-beyond service-date service-future telehealth-modifier telehealth-place trace-twice
    """,
    5: """
        adjustment-reason diagnosis-form frequency icd9 modifier-form npi-check-digit place-of-service
        procedure-form state status-category taxonomy-form zip
    """,
}
LEVELS = {rule: level for level, rules in _RULES.items() for rule in rules.split()}
"""Rule -> 1 to 5, of every rule of this package that a file alone can break."""
PARTNERS = 7
"""Of every other rule: `claim-unknown`, `group-unknown`, and those that callers add."""


def level(rule: str) -> int:
    """Return the SNIP type of a rule."""
    return LEVELS.get(rule, PARTNERS)
