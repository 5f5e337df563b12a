"""E-mail addresses: as they are shown, and as they are compared."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from email_validator import EmailNotValidError, validate_email

from partywall.errors import InvalidRecord


@dataclass(frozen=True, slots=True)
class Address:
    """An e-mail address.

    Attributes:
        shown: as it was given, in normal form.
        key: of two addresses the same when they are one mailbox.
    """

    shown: str
    key: str


def addressed(email: str) -> Address:
    """*email* as an address; whether it can be reached is not asked.

    Compared without regard to case, although a server could tell two mailboxes apart by it (RFC
    5321, section 2.4): none does, and people write their own address in either way.

    Raises:
        InvalidRecord: for what is no address.
    """
    try:
        found = validate_email(email, check_deliverability=False, strict=True)
    except EmailNotValidError as error:
        raise InvalidRecord("this is no e-mail address: write it as in ann@example.com") from error
    # The domain in its ASCII form: str.casefold would make fass.de of faß.de, another's domain.
    return Address(found.normalized, f"{folded(found.local_part)}@{found.ascii_domain.lower()}")


def folded(text: str) -> str:
    """*text* without regard to case, and without making one of letters that are two.

    Casefolding makes ss of ß, and upper case makes I of a dotless i: whoever has the mailbox
    weiß@… would be let into the account of weiss@…. So only a letter that is the capital of its
    small one is folded.
    """
    small = (each.lower() if each.lower().upper() == each else each for each in text)
    return unicodedata.normalize("NFC", "".join(small))
