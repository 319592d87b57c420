"""Telephone numbers in one form."""

from __future__ import annotations

import phonenumbers


def e164(text: str) -> str:
    """
    Return a number in E.164; one without a country is taken as one of the United States.

    :raises ValueError: it is no possible number

    >>> e164("(503) 555-0100")
    '+15035550100'
    """
    try:
        number = phonenumbers.parse(text, "US")
    except phonenumbers.NumberParseException as error:
        raise ValueError("not a telephone number") from error
    if not phonenumbers.is_possible_number(number):
        raise ValueError("not a telephone number")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
