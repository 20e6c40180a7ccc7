"""Chinese resident numbers (GB 11643-1999) and telephone numbers."""

import re

from schemas.expressions.dates import parse_date

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK_CHARACTERS = "10X98765432"
RESIDENT_ID = re.compile(r"[1-9][0-9]{16}[0-9X]")
MOBILE = re.compile(r"1[3-9][0-9]{9}")
LANDLINE = re.compile(r"(?:0[0-9]{2,3}-?)?[2-8][0-9]{6,7}")
# Full-width forms of the printable ASCII characters, and the ideographic space.
NARROW = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
SPACES = re.compile(r"[ \t\r\n]")
PHONE_NOISE = re.compile(r"[ \t\r\n().]")


def normalize_resident_id(text: str) -> str:
    return SPACES.sub("", text.translate(NARROW)).replace("x", "X")


def birth_date(text: str) -> str:
    """The date of birth in a valid resident number; "" when the number is not valid."""
    number = normalize_resident_id(text)
    if not RESIDENT_ID.fullmatch(number):
        return ""
    total = sum(weight * int(digit) for weight, digit in zip(WEIGHTS, number, strict=False))
    date = f"{number[6:10]}-{number[10:12]}-{number[12:14]}"
    valid = CHECK_CHARACTERS[total % 11] == number[17] and number[6:8] in ("18", "19", "20")
    return date if valid and parse_date(date) is not None else ""


def sex(text: str) -> str:
    if not birth_date(text):
        return ""
    return "male" if int(normalize_resident_id(text)[16]) % 2 else "female"


def normalize_phone(text: str) -> str:
    """Plain digits, country code and separators dropped; the hyphen after an area code stays."""
    number = PHONE_NOISE.sub("", text.translate(NARROW)).replace("—", "-").replace("–", "-")
    bare = number.replace("-", "")
    for prefix in ("+86", "0086", "86", ""):
        if bare.startswith(prefix) and MOBILE.fullmatch(bare[len(prefix) :]):
            return bare[len(prefix) :]
    for prefix in ("+86", "0086"):
        if number.startswith(prefix):
            rest = number[len(prefix) :].removeprefix("-")
            return rest if rest.startswith("0") else "0" + rest
    return number


def is_mobile(text: str) -> bool:
    return MOBILE.fullmatch(normalize_phone(text)) is not None


def is_landline(text: str) -> bool:
    return LANDLINE.fullmatch(normalize_phone(text)) is not None
