"""Handles, loyalty ids, device ids and WhatsApp's user ids."""

import pytest

from resolution.standardize.handles import (
    handle_letters,
    handle_word,
    standardize_handle,
    standardize_scoped_id,
)
from resolution.standardize.opaque_ids import (
    standardize_device_id,
    standardize_loyalty_id,
    standardize_whatsapp_bsuid,
)
from resolution.standardize.shapes import RefusedValueError

HANDLES = {
    "bare": ("joao.silva", "instagram", "instagram:joao.silva"),
    "at sign and capitals": ("@Joao.Silva", "Instagram", "instagram:joao.silva"),
    "profile URL": ("https://instagram.com/joao.silva/?hl=pt", "instagram", "instagram:joao.silva"),
    "profile URL tells the network": ("https://www.instagram.com/joao.silva", "", "instagram:joao.silva"),
    "Twitter is X": ("https://twitter.com/ana_lima", "twitter", "x:ana_lima"),
    "X": ("@ana_lima", "x", "x:ana_lima"),
    "TikTok URL": ("https://www.tiktok.com/@ana.lima", "tiktok", "tiktok:ana.lima"),
    "Facebook ignores dots": ("facebook.com/joao.silva.77", "facebook", "facebook:joaosilva77"),
    "Facebook number": ("https://facebook.com/profile.php?id=1000123456", "fb", "facebook:1000123456"),
    "network before a colon": ("instagram:joao.silva", "", "instagram:joao.silva"),
    "LinkedIn URL": ("https://www.linkedin.com/in/ana-lima/", "", "linkedin:ana-lima"),
    "Instagram's thirty": ("a1" * 15, "instagram", "instagram:" + "a1" * 15),
    "TikTok's twenty-four": ("a1" * 12, "tiktok", "tiktok:" + "a1" * 12),
    "a dot in an X handle": ("ana.lima", "x", "x:ana.lima"),
    "hyphen elsewhere": ("ana-lima", "youtube", "youtube:ana-lima"),
    "underscore first": ("@_laercio115", "instagram", "instagram:_laercio115"),
}

REFUSED_HANDLES = {
    "nothing": ("@", "instagram", "junk"),
    "words": ("naotem", "instagram", "junk"),
    "the network itself": ("instagram", "instagram", "junk"),
    "no network": ("joao.silva", "", "unknown_network"),
    "blank inside": ("joao silva", "instagram", "invalid"),
    "longer than the network allows": ("a1" * 20, "instagram", "invalid"),
    "longer than TikTok allows": ("a1" * 12 + "a", "tiktok", "invalid"),
    "hyphen on Instagram": ("instagram:ana-lima", "", "invalid"),
    "two dots on Instagram": ("instagram:a..b", "", "invalid"),
    "hyphen on TikTok": ("tiktok:ana-lima", "", "invalid"),
    "hyphen on X": ("ana-lima", "x", "invalid"),
    "underscore on Facebook": ("ana_lima", "facebook", "invalid"),
    "underscore on LinkedIn": ("ana_lima", "linkedin", "invalid"),
    "too long": ("a" * 301, "instagram", "too_long"),
}


@pytest.mark.parametrize(("raw", "network", "expected"), HANDLES.values(), ids=HANDLES)
def test_handle_is_kept_as(raw: str, network: str, expected: str) -> None:
    assert standardize_handle(raw, network) == expected


@pytest.mark.parametrize(("raw", "network", "reason"), REFUSED_HANDLES.values(), ids=REFUSED_HANDLES)
def test_handle_is_refused_as(raw: str, network: str, reason: str) -> None:
    with pytest.raises(RefusedValueError) as refusal:
        standardize_handle(raw, network)

    assert refusal.value.reason == reason


def test_scoped_id_stands_beside_the_handle() -> None:
    assert standardize_scoped_id("17841400000000000", "ig") == "instagram:id:17841400000000000"


def test_words_of_a_handle_leave_out_habits() -> None:
    assert handle_letters("instagram:eu_luciano8") == ("euluciano", "luciano")
    assert handle_letters("instagram:valeriao_oficial") == ("valeriao",)
    assert handle_word("x:ana_lima7") == "analima7"


def test_loyalty_id_is_program_and_number() -> None:
    assert standardize_loyalty_id("998 877", "Clube") == "clube:998877"


def test_loyalty_number_of_zeros_is_junk() -> None:
    with pytest.raises(RefusedValueError, match="junk"):
        standardize_loyalty_id("0000000", "clube")


def test_device_id_keeps_its_case_unless_it_is_a_uuid() -> None:
    assert standardize_device_id("a1B2") == "a1B2"
    assert (
        standardize_device_id("6E360DBD-DE3E-808A-AAAA-0123456789AB")
        == "6e360dbd-de3e-808a-aaaa-0123456789ab"
    )


def test_advertising_id_of_zeros_is_junk() -> None:
    with pytest.raises(RefusedValueError, match="junk"):
        standardize_device_id("00000000-0000-0000-0000-000000000000")


def test_whatsapp_user_id_keeps_its_case() -> None:
    assert standardize_whatsapp_bsuid("br.13491208655302741918A") == "BR.13491208655302741918A"


def test_whatsapp_user_id_needs_its_country() -> None:
    with pytest.raises(RefusedValueError, match="invalid"):
        standardize_whatsapp_bsuid("13491208655302741918")
