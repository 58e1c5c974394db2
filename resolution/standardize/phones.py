"""Phones: E.164 and a variant key, Brazil's carrier codes and ninth digit; the library judges the rest."""

import re
import unicodedata
from collections.abc import Collection

import phonenumbers
from phonenumbers import PhoneNumberType

from resolution.standardize.shapes import RefusedValueError
from resolution.standardize.tables import words_of
from resolution.standardize.text import is_one_character

_NOT_DIGIT = re.compile(r"[^0-9]+")
_WORDED = re.compile(r"[^\W\d_]|#")
_SPREADSHEET = re.compile(r"^\s*\d+(?:[.,]\d+)?e\+?\d+\s*$", re.IGNORECASE)
_EXTENSION = re.compile(r"\s*(?:ramal|ram|ext|extension|x|#|r\.)[\s.:]*\d{1,6}\s*$", re.IGNORECASE)
# '0xx11' was how Brazil printed "0, a carrier of your choice, 11".
_CARRIER_SIGN = re.compile(r"(?<![^\W\d_])x{2}(?![^\W\d_])", re.IGNORECASE)
_BETWEEN = re.compile(r"\s*(?:[/;|,\n]|\bou\b|\be\b)\s*", re.IGNORECASE)
_CHAT_SUFFIX = re.compile(r"@(?:s\.whatsapp\.net|c\.us|lid|g\.us)$", re.IGNORECASE)
_LABEL = re.compile(
    r"^(?:telefone|tel|fone|phone|celular|cel|mobile|whatsapp|whats|wpp|zap|https?://wa\.me/|wa\.me/)[\s.:]*",
    re.IGNORECASE,
)
_BRAZIL = re.compile(r"(?:[14689][1-9]|2[12478]|3[1-578]|5[13-5]|7[13-579])(?:[2-57]\d{7}|9\d{8})")
_NINTH_DIGIT = re.compile(r"\+55\d\d9\d{8}")
_LANDLINE_FIRST_DIGITS = "2345"
_PORTUGAL = re.compile(
    r"(?:9[1-36]\d{7}|2(?:[12]\d|3[1-689]|4[1-59]|[57][1-9]|6[1-35689]|8[1-69]|9[1256])\d{6})"
)
_COMPANY_TYPES = frozenset(
    (
        PhoneNumberType.TOLL_FREE,
        PhoneNumberType.SHARED_COST,
        PhoneNumberType.PREMIUM_RATE,
        PhoneNumberType.UAN,
        PhoneNumberType.VOICEMAIL,
        PhoneNumberType.PAGER,
    )
)


def standardize_phone(raw: str, region: str, area_code: str | None) -> tuple[str, str]:
    """E.164 and variant key of a phone as typed: '(11) 98765-4321' -> '+5511987654321', '551187654321'.

    Raises RefusedValueError: junk, invalid, company_number, spreadsheet, missing_area_code, too_long.
    """
    if len(raw) > 64:
        raise RefusedValueError("too_long")
    text = raw if raw.isascii() else _in_ascii_digits(raw)
    if text.isdecimal():
        digits = text
    else:
        text = _strip_words(text)
        digits = _NOT_DIGIT.sub("", text)
    if len(digits) < 6:
        raise RefusedValueError("invalid" if digits else "junk")
    if is_one_character(digits):
        raise RefusedValueError("junk")
    if text.lstrip(" (").startswith("+"):
        return _international(digits.removeprefix("00"))
    if digits.startswith("00") and len(digits) >= 10 and region not in ("US", "CA"):
        return _dialled_abroad(digits[2:])
    if region == "BR":
        return _in_brazil(digits, area_code)
    if region == "PT" and _PORTUGAL.fullmatch(digits):
        return _portuguese(digits)
    return _in_region(digits, region, area_code)


def split_phones(raw: object) -> list[object]:
    """Whole phones written in one value: '11 3333-4444 / 11 98765-4321' are two; any other value is one."""
    if isinstance(raw, str) and 17 < len(raw) < 200 and _BETWEEN.search(raw):
        parts = [part.strip() for part in _BETWEEN.split(raw) if part.strip()]
        if len(parts) <= 5 and all(len(_NOT_DIGIT.sub("", part)) >= 8 for part in parts):
            return list(parts)
    return [raw]


def local_digits(raw: str) -> str:
    """The last eight digits, which a mobile keeps with and without its ninth: '98765-4321' -> '87654321'."""
    return _NOT_DIGIT.sub("", _in_ascii_digits(raw))[-8:]


def variant_key(e164: str) -> str:
    """What the forms of one line share: in Brazil country, DDD and last 8 digits; elsewhere E.164's digits.

    Mexico's are without the 1 and Argentina's without the 9 that mobiles take after the country code.
    """
    digits = e164.removeprefix("+")
    if digits.startswith("55") and len(digits) == 13 and digits[4] == "9":
        return digits[:4] + digits[5:]
    if digits.startswith("521") and len(digits) == 13:
        return "52" + digits[3:]
    if digits.startswith("549") and len(digits) == 13:
        return "54" + digits[3:]
    return digits


def forms_of_line(e164: str) -> tuple[str, ...]:
    """Every number in E.164 that shares the variant key of this one, itself among them."""
    key = variant_key(e164)
    if len(key) == 12 and key.startswith("55"):
        return f"+{key}", f"+{key[:4]}9{key[4:]}"
    for country, of_mobiles in (("52", "521"), ("54", "549")):
        if len(key) == 12 and key.startswith(country):
            return f"+{key}", f"+{of_mobiles}{key[2:]}"
    return (f"+{key}",)


def superseded_phones(phones: Collection[str]) -> set[str]:
    """Of one person's numbers in E.164 those not to be dialled, since the same Brazilian line is there as it should be.

    A landline that somebody gave a ninth digit is valid as a mobile, wrongly: the form without it is preferred. A
    mobile without it, as accounts of before 2016 have it, gives way to the form with it. Which of the two a number
    is nobody can tell from one form alone, so that a lone form is never superseded.
    """
    superseded = set()
    for phone in phones:
        if _NINTH_DIGIT.fullmatch(phone) and (shorter := phone[:5] + phone[6:]) in phones:
            superseded.add(phone if shorter[5] in _LANDLINE_FIRST_DIGITS else shorter)
    return superseded


def _in_ascii_digits(text: str) -> str:
    """Full-width, Arabic and other decimal digits as 0 to 9."""
    text = unicodedata.normalize("NFKC", text)
    return "".join([str(unicodedata.decimal(c, c)) for c in text])


def _strip_words(text: str) -> str:
    """The text without chat suffix, label and extension; raises where words or a spreadsheet destroyed it."""
    if _WORDED.search(text):
        if _SPREADSHEET.match(text):
            raise RefusedValueError("spreadsheet")
        text = _CARRIER_SIGN.sub("", text)
        text = _EXTENSION.sub("", _LABEL.sub("", _CHAT_SUFFIX.sub("", text)))
        if _WORDED.search(text):
            raise RefusedValueError("invalid" if any(c.isdigit() for c in text) else "junk")
    return text


def _international(digits: str) -> tuple[str, str]:
    if digits.startswith("55"):
        national = digits[2:]
        return _brazilian(national[1:] if national.startswith("0") else national)
    if digits.startswith("351") and _PORTUGAL.fullmatch(digits, 3):
        return _portuguese(digits[3:])
    if digits.startswith("521") and len(digits) == 13:
        digits = "52" + digits[3:]
    return _by_library("+" + digits, None)


def _dialled_abroad(digits: str) -> tuple[str, str]:
    """What follows 00: a country code, or in Brazil a carrier and then the country code."""
    try:
        return _international(digits)
    except RefusedValueError:
        if digits[:2] not in words_of("phones", "carriers"):
            raise
        return _international(digits[2:])


def _in_brazil(digits: str, area_code: str | None) -> tuple[str, str]:
    """A number as dialled or noted in Brazil, by its length once collect, trunk and carrier codes are off."""
    if (digits.startswith("9090") and len(digits) >= 12) or (
        digits.startswith("90") and len(digits) in (14, 15) and digits[2:4] in words_of("phones", "carriers")
    ):
        digits = digits[4:]
    elif digits.startswith("0"):
        digits = _strip_trunk(digits)
    count = len(digits)
    if count in (12, 13) and digits.startswith("55"):
        return _brazilian(digits[2:])
    if count in (10, 11):
        return _brazilian(digits)
    if count in (8, 9):
        return _local(digits, area_code)
    if count >= 12:
        return _by_library("+" + digits, None)
    raise RefusedValueError("invalid")


def _strip_trunk(digits: str) -> str:
    if digits[1:4] in words_of("phones", "company_codes") and len(digits) in (10, 11):
        raise RefusedValueError("company_number")
    digits = digits[1:]
    if (
        len(digits) in (12, 13)
        and digits[:2] in words_of("phones", "carriers")
        and digits[2:4] in words_of("phones", "area_codes")
    ):
        return digits[2:]
    return digits


def _local(digits: str, area_code: str | None) -> tuple[str, str]:
    if digits in words_of("phones", "junk_subscribers"):
        raise RefusedValueError("junk")
    if len(digits) == 8 and digits[:4] in words_of("phones", "company_prefixes_8"):
        raise RefusedValueError("company_number")
    if digits[:3] in words_of("phones", "company_codes") and len(digits) == 9:
        raise RefusedValueError("company_number")
    if area_code is None:
        raise RefusedValueError("missing_area_code")
    return _brazilian(area_code.removeprefix("0") + digits)


def _brazilian(national: str) -> tuple[str, str]:
    """Ten or eleven digits with the area code; a mobile of before 2016 is given its ninth digit."""
    subscriber = national[2:]
    # '8888-8888' with and without its ninth digit; '6888-8888' was given to people, '3000-0000' to nobody.
    same = is_one_character(subscriber[-8:]) or subscriber.endswith("0000000")
    if same or subscriber in words_of("phones", "junk_subscribers"):
        raise RefusedValueError("junk")
    if len(national) == 10 and subscriber[0] in "689":
        national = f"{national[:2]}9{subscriber}"
    if _BRAZIL.fullmatch(national):
        return f"+55{national}", f"55{national[:2]}{national[-8:]}"
    return _by_library("+55" + national, "BR")


def _portuguese(national: str) -> tuple[str, str]:
    if is_one_character(national[1:]):
        raise RefusedValueError("junk")
    return f"+351{national}", f"351{national}"


def _in_region(digits: str, region: str, area_code: str | None) -> tuple[str, str]:
    """By the region's own rules; else completed with the area code; else read as an international number."""
    if region == "MX" and len(digits) == 13 and digits[:3] in ("044", "045"):
        digits = digits[3:]
    try:
        return _by_library(digits, region)
    except RefusedValueError as refusal:
        if refusal.reason != "invalid":
            raise
        if area_code is not None and len(digits) <= 8:
            return _by_library(area_code + digits, region)
        if len(digits) >= 11:
            return _international(digits)
        raise


def _by_library(text: str, region: str | None) -> tuple[str, str]:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        raise RefusedValueError("invalid") from None
    if not phonenumbers.is_valid_number(number):
        raise RefusedValueError("invalid")
    if phonenumbers.number_type(number) in _COMPANY_TYPES:
        raise RefusedValueError("company_number")
    national = str(number.national_number)
    if number.country_code == 351 and national.startswith("300"):
        raise RefusedValueError("company_number")
    if is_one_character(national[-8:]):
        raise RefusedValueError("junk")
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return e164, variant_key(e164)
