"""Canary patients: invented people whose data is planted in traffic, and every way in which their words can be written.

Names with umlauts, accents and hyphens, and a plain one for protocols that hold ASCII only. All of them are long and
odd, so that a match is a leak and no coincidence.
"""

import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

FOLDED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss"})


class Patient(NamedTuple):
    """One invented person."""

    family: str
    given: str
    number: str  # the medical record number
    born: tuple[int, int, int]
    street: str
    phone: str
    instance: int  # a number of seven digits, for fields that hold nothing but numbers

    @property
    def ascii_family(self) -> str:
        """Without its marks, as host names write it."""
        return plain(self.family)

    @property
    def ascii_given(self) -> str:
        """Without its marks."""
        return plain(self.given)

    @property
    def person(self) -> str:
        """As HL7 and DICOM write a name."""
        return f"{self.family}^{self.given}"

    @property
    def host(self) -> str:
        """As somebody names a machine after a person: letters, digits and hyphens, at most 63."""
        return f"{self.ascii_given}-{self.ascii_family}".lower()[:63]

    @property
    def title(self) -> str:
        """At most 15 characters of upper case, for NetBIOS names and AE titles."""
        return self.ascii_family.upper().replace("-", "_")[:15]

    @property
    def birthdays(self) -> tuple[str, ...]:
        """The date in the forms of HL7 and DICOM, ISO 8601, German, British, American and in words."""
        year, month, day = self.born
        return (
            f"{year}{month:02}{day:02}", f"{year}-{month:02}-{day:02}", f"{day:02}.{month:02}.{year}",
            f"{day:02}/{month:02}/{year}", f"{month:02}/{day:02}/{year}", f"{day:02}-{MONTHS[month - 1]}-{year}",
        )  # fmt: skip

    @property
    def phones(self) -> tuple[str, ...]:
        """With blanks, with hyphens, digits only."""
        bare = self.phone.lstrip("+")
        return (bare, bare.replace(" ", "-"), bare.replace(" ", ""))

    def secrets(self) -> tuple[str, ...]:
        """Every string that may leave in no form: each is searched for by itself, so that order does not matter."""
        names = {self.family, self.given, self.ascii_family, self.ascii_given, self.title}
        parts = {part for name in names for part in name.split("-") if len(part) >= LETTERS_MIN}
        street = max(self.street.split(), key=len)
        rest = (*self.birthdays, self.street, street, *self.phones, str(self.instance))
        return (*sorted(names | parts), self.number, *rest)

    def told(self) -> str:
        """All of it as somebody would write it into a free text."""
        family, given = self.family, self.given
        names = f"{given} {family}, {family} {given}, {family}, {given}, {family.upper()}^{given.upper()}, {self.host}"
        rest = f"{self.number} {' '.join(self.birthdays)} {self.street} {' '.join(self.phones)} {self.instance}"
        return f"{names} {rest}"


LETTERS_MIN = 6
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
PATIENTS = (
    Patient(
        "Müggelhäusler", "Tränkwart", "WT5508316Q", (1961, 11, 27),
        "Grübelschloßgasse 47", "+49 6221 5558 3140", 3914077,
    ),
    Patient(
        "Quéffelec-Brandonneau", "Anaëlle-Ségolène", "80417729352", (1987, 3, 19),
        "19 rue des Écharpettes", "+33 4 5550 9162", 2860913,
    ),
    Patient(
        "Fenworthy", "Ludomira", "ZQ-7719-3308", (1949, 12, 25),
        "8 Thistlewick Crescent", "+1 555 010 7734", 1730659,
    ),
)  # fmt: skip


def plain(text: str) -> str:
    """German marks spelled out, all others dropped."""
    spelled = unicodedata.normalize("NFKD", text.translate(FOLDED))
    return "".join(letter for letter in spelled if letter.isascii())


def cases(text: str) -> Iterator[str]:
    """As it is, in upper and in lower case, composed and decomposed."""
    for form in ("NFC", "NFD"):
        written = unicodedata.normalize(form, text)
        yield from (written, written.upper(), written.lower())
