"""Phones: every row of the identifier rules, and the fast path against the library."""

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resolution.standardize.phones import (
    split_phones,
    standardize_phone,
    superseded_phones,
    variant_key,
)
from resolution.standardize.shapes import RefusedValueError

ACCEPTED = {
    "mobile with brackets": ("(11) 98765-4321", "BR", None, "+5511987654321"),
    "mobile bare": ("11987654321", "BR", None, "+5511987654321"),
    "mobile with country": ("+55 11 98765-4321", "BR", None, "+5511987654321"),
    "country without plus": ("5511987654321", "BR", None, "+5511987654321"),
    "country and trunk": ("+55 (0) 11 98765-4321", "BR", None, "+5511987654321"),
    "trunk": ("011 98765-4321", "BR", None, "+5511987654321"),
    "trunk and carrier": ("0 15 11 98765-4321", "BR", None, "+5511987654321"),
    "trunk, carrier, landline": ("041 11 3333-4444", "BR", None, "+551133334444"),
    "collect with carrier": ("90 15 11 98765-4321", "BR", None, "+5511987654321"),
    "collect call": ("9090 11 98765-4321", "BR", None, "+5511987654321"),
    "collect call, landline": ("9090 11 3333-4444", "BR", None, "+551133334444"),
    "ninth digit missing": ("11 8765-4321", "BR", None, "+5511987654321"),
    "ninth digit missing, country": ("551187654321", "BR", None, "+5511987654321"),
    "ninth digit missing, plus": ("+55 11 8765-4321", "PT", None, "+5511987654321"),
    "old trunking range stays": ("11 7654-3210", "BR", None, "+551176543210"),
    "six takes the nine": ("31 6888-8888", "BR", None, "+5531968888888"),
    "landline never takes a nine": ("554532782153", "BR", None, "+554532782153"),
    "landline given a nine": ("5545932782153", "BR", None, "+5545932782153"),
    "area code 55": ("55 99912-3456", "BR", None, "+5555999123456"),
    "area code 55 with country": ("+55 55 99912-3456", "BR", None, "+5555999123456"),
    "local mobile completed": ("98765-4321", "BR", "11", "+5511987654321"),
    "local mobile of eight completed": ("8765-4321", "BR", "11", "+5511987654321"),
    "local landline completed": ("3333-4444", "BR", "011", "+551133334444"),
    "prefix 00": ("00351912345678", "BR", None, "+351912345678"),
    "prefix 00 and carrier": ("0021 351 912 345 678", "BR", None, "+351912345678"),
    "prefix 00 home": ("00 55 11 98765-4321", "BR", None, "+5511987654321"),
    "chat id": ("5511987654321@s.whatsapp.net", "BR", None, "+5511987654321"),
    "chat link": ("https://wa.me/5511987654321", "BR", None, "+5511987654321"),
    "printed with the carrier left open": ("(0xx11) 3333-4444", "BR", None, "+551133334444"),
    "label": ("Telefone: (11) 3333-4444", "BR", None, "+551133334444"),
    "extension": ("(11) 3333-4444 ramal 22", "BR", None, "+551133334444"),
    "full-width digits": ("１１９８７６５４３２１", "BR", None, "+5511987654321"),
    "foreign chat id": ("351912345678", "BR", None, "+351912345678"),
    "Portuguese mobile": ("912 345 678", "PT", None, "+351912345678"),
    "Portuguese with country": ("351912345678", "PT", None, "+351912345678"),
    "Portuguese landline": ("21 234 5678", "PT", None, "+351212345678"),
    "Brazilian chat id in Portugal": ("5511987654321", "PT", None, "+5511987654321"),
    "Mexican with 1": ("+52 1 55 1234 5679", "BR", None, "+525512345679"),
    "Mexican without 1": ("+52 55 1234 5679", "BR", None, "+525512345679"),
    "Mexican as dialled": ("044 55 1234 5679", "MX", None, "+525512345679"),
    "Argentine mobile": ("+54 9 11 2345 6789", "BR", None, "+5491123456789"),
    "Argentine as dialled": ("011 15 2345 6789", "AR", None, "+5491123456789"),
    "British": ("020 7946 0018", "GB", None, "+442079460018"),
}

REFUSED = {
    "local without area code": ("98765-4321", "BR", None, "missing_area_code"),
    "landline without area code": ("3333-4444", "BR", None, "missing_area_code"),
    "shared cost": ("4004-1234", "BR", None, "company_number"),
    "shared cost with area code known": ("4004-1234", "BR", "11", "company_number"),
    "shared cost 3003": ("3003-1234", "BR", "11", "company_number"),
    "0303": ("0303 123 4567", "BR", None, "company_number"),
    "0800": ("0800 123 4567", "BR", None, "company_number"),
    "0800 short": ("0800 123 456", "BR", None, "company_number"),
    "Portuguese 300": ("300 123 456", "PT", None, "company_number"),
    "Portuguese 707": ("707 123 456", "PT", None, "company_number"),
    "Portuguese 808": ("808 123 456", "PT", None, "company_number"),
    "spreadsheet": ("5,51E+12", "BR", None, "spreadsheet"),
    "spreadsheet with point": ("5.51199E+12", "BR", None, "spreadsheet"),
    "zeros": ("00000000000", "BR", None, "junk"),
    "ones": ("11111111111", "BR", None, "junk"),
    "nines only": ("99999999999", "BR", None, "junk"),
    "eights after the ninth digit": ("11 98888-8888", "BR", None, "junk"),
    "eights without the ninth digit": ("11 8888-8888", "BR", None, "junk"),
    "zeros after the first digit": ("11 3000-0000", "BR", None, "junk"),
    "nines": ("11999999999", "BR", None, "junk"),
    "keyboard run": ("11912345678", "BR", None, "junk"),
    "eight digit run": ("12345678", "BR", "11", "junk"),
    "words": ("não tem", "BR", None, "junk"),
    "no digits": ("-", "BR", None, "junk"),
    "too short": ("190", "BR", None, "invalid"),
    "area code that is none": ("20 98765-4321", "BR", None, "invalid"),
    "mobile that starts with 3": ("(69)388476382", "BR", None, "invalid"),
    "too long": ("1" * 65, "BR", None, "too_long"),
}


@pytest.mark.parametrize(("raw", "region", "area_code", "expected"), ACCEPTED.values(), ids=ACCEPTED)
def test_phone_is_kept_as(raw: str, region: str, area_code: str | None, expected: str) -> None:
    assert standardize_phone(raw, region, area_code)[0] == expected


@pytest.mark.parametrize(("raw", "region", "area_code", "reason"), REFUSED.values(), ids=REFUSED)
def test_phone_is_refused_as(raw: str, region: str, area_code: str | None, reason: str) -> None:
    with pytest.raises(RefusedValueError) as refusal:
        standardize_phone(raw, region, area_code)

    assert refusal.value.reason == reason


VARIANTS = {
    "Brazil with nine": ("+5511987654321", "551187654321"),
    "Brazil old range": ("+551176543210", "551176543210"),
    "Brazil old range with nine": ("+5511976543210", "551176543210"),
    "Brazil landline": ("+554532782153", "554532782153"),
    "Brazil landline given a nine": ("+5545932782153", "554532782153"),
    "Mexico": ("+525512345678", "525512345678"),
    "Mexico with 1": ("+5215512345678", "525512345678"),
    "Argentina mobile": ("+5491123456789", "541123456789"),
    "Argentina": ("+541123456789", "541123456789"),
    "Portugal": ("+351912345678", "351912345678"),
}


@pytest.mark.parametrize(("e164", "key"), VARIANTS.values(), ids=VARIANTS)
def test_variant_key_is_what_forms_of_one_line_share(e164: str, key: str) -> None:
    assert variant_key(e164) == key


@pytest.mark.parametrize(
    ("phones", "superseded"),
    [
        pytest.param(["+554532782153", "+5545932782153"], {"+5545932782153"}, id="a landline given a 9"),
        pytest.param(["+5545932782153"], set(), id="nobody knows it without the 9"),
        pytest.param(["+551121234567", "+5511921234567"], {"+5511921234567"}, id="from 2"),
        pytest.param(["+551157654321", "+5511957654321"], {"+5511957654321"}, id="to 5"),
        pytest.param(
            ["+551176543210", "+5511976543210"], {"+551176543210"}, id="a mobile of the old trunking"
        ),
        pytest.param(["+551187654321", "+5511987654321"], {"+551187654321"}, id="a mobile without its 9"),
        pytest.param(["+554532782153", "+5511932782153"], set(), id="another area code"),
        pytest.param(["+554532782153", "+554532782154"], set(), id="another number"),
        pytest.param(
            ["+541123456789", "+5491123456789"], set(), id="Argentina, whose 9 stands before the area code"
        ),
        pytest.param(
            ["+554532782153", "+5545932782153", "+551187654321", "+5511987654321", "+351912345678"],
            {"+5545932782153", "+551187654321"},
            id="two lines of one person",
        ),
        pytest.param([], set(), id="no phone"),
    ],
)
def test_of_two_forms_of_one_line_one_is_dialled(phones: list[str], superseded: set[str]) -> None:
    assert superseded_phones(phones) == superseded
    assert superseded_phones(phones[::-1]) == superseded


def test_two_phones_in_one_value_are_two() -> None:
    assert split_phones("(11) 3333-4444 / 11 98765-4321") == ["(11) 3333-4444", "11 98765-4321"]


def test_a_phone_with_an_extension_list_stays_one_value() -> None:
    assert split_phones("(11) 3333-4444 / 4445") == ["(11) 3333-4444 / 4445"]


def _by_library(text: str, region: str) -> str | None:
    number = phonenumbers.parse(text, region)
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _by_us(text: str, region: str) -> str | None:
    try:
        return standardize_phone(text, region, None)[0]
    except RefusedValueError:
        return None


@settings(max_examples=200, deadline=None)
@given(st.from_regex(r"[1-9][1-9](9[0-9]{8}|[2-57][0-9]{7})", fullmatch=True))
def test_fast_path_of_brazil_answers_as_the_library_does(national: str) -> None:
    ours = _by_us(national, "BR")

    assert ours in (_by_library(f"+55{national}", "BR"), None)
    assert ours is not None or _is_refused_for_another_reason(national, "BR")


@settings(max_examples=200, deadline=None)
@given(st.from_regex(r"[29][0-9]{8}", fullmatch=True))
def test_fast_path_of_portugal_answers_as_the_library_does(national: str) -> None:
    ours = _by_us(national, "PT")

    assert ours in (_by_library(f"+351{national}", "PT"), None)
    assert ours is not None or _is_refused_for_another_reason(national, "PT")


def _is_refused_for_another_reason(national: str, region: str) -> bool:
    """Junk is refused though valid; the rest must be invalid for the library too."""
    try:
        standardize_phone(national, region, None)
    except RefusedValueError as refusal:
        code = "+55" if region == "BR" else "+351"
        return refusal.reason == "junk" or _by_library(code + national, region) is None
    return False


@settings(max_examples=200, deadline=None)
@given(
    st.text(alphabet="0123456789+-() .", max_size=20), st.sampled_from(["BR", "PT", "GB", "US", "MX", "AR"])
)
def test_a_standardized_phone_standardizes_to_itself(raw: str, region: str) -> None:
    try:
        phone = standardize_phone(raw, region, None)
    except RefusedValueError:
        return

    assert standardize_phone(phone[0], region, None) == phone
