"""The phonetic key, spelling families and nicknames."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolution.standardize.phonetics import given_forms, phonetic_key, spelling_form

SAME_SOUND = [
    ("luis", "luiz"),
    ("sousa", "souza"),
    ("tiago", "thiago"),
    ("vagner", "wagner"),
    ("elisa", "eliza"),
    ("felipe", "filipe"),
    ("felipe", "philippe"),
    ("silvia", "sylvia"),
    ("rafael", "raphael"),
    ("alessandra", "alesandra"),
    ("helena", "elena"),
    ("katia", "catia"),
    ("joaquim", "joaquin"),
    ("manuel", "manoel"),
    ("geraldo", "jeraldo"),
    ("michele", "mishele"),
    ("carvalho", "carvalio"),
    ("paranhos", "paranios"),
    ("assuncao", "asuncao"),
    ("queiroz", "keiros"),
]
OTHER_SOUND = [
    ("joao", "joana"),
    ("mario", "maria"),
    ("paulo", "paula"),
    ("silva", "silveira"),
    ("ana", "anita"),
]
FAMILIES = [
    ("luis", "luiz"),
    ("tiago", "thiago"),
    ("vagner", "wagner"),
    ("elisa", "eliza"),
    ("felipe", "filipe"),
    ("felipe", "philippe"),
    ("silvia", "sylvia"),
    ("rafael", "raphael"),
    ("manuel", "manoel"),
    ("jeferson", "geferson"),
    ("mateus", "matheus"),
    ("andrea", "andreia"),
]
NICKNAMES = [
    ("ze", {"jose"}),
    ("chico", {"francisco"}),
    ("xico", {"francisco"}),
    ("beto", {"roberto", "alberto", "humberto"}),
    ("tiao", {"sebastiao"}),
    ("dudu", {"eduardo"}),
    ("nando", {"fernando"}),
    ("bia", {"beatris"}),
    ("cida", {"aparecida"}),
    ("lu", {"luciana", "luisa"}),
    ("fe", {"fernanda", "felipe"}),
    ("gugu", {"gustavo"}),
    ("tonho", {"antonio"}),
    ("toninho", {"antonio"}),
    ("quim", {"joaquim"}),
    ("manel", {"manuel"}),
    ("bob", {"robert"}),
    ("bill", {spelling_form("william")}),
    ("fco", {"francisco"}),
]


@pytest.mark.parametrize(("left", "right"), SAME_SOUND)
def test_names_that_sound_alike_share_a_key(left: str, right: str) -> None:
    assert phonetic_key(left) == phonetic_key(right)


@pytest.mark.parametrize(("left", "right"), OTHER_SOUND)
def test_names_of_different_people_have_different_keys(left: str, right: str) -> None:
    assert phonetic_key(left) != phonetic_key(right)


@pytest.mark.parametrize(("left", "right"), FAMILIES)
def test_spellings_of_one_name_share_a_form(left: str, right: str) -> None:
    assert spelling_form(left) == spelling_form(right)


@pytest.mark.parametrize(("nickname", "names"), NICKNAMES)
def test_nickname_may_stand_for(nickname: str, names: set[str]) -> None:
    assert names <= set(given_forms(nickname))


def test_forms_hold_the_name_itself_and_are_sorted() -> None:
    assert given_forms("ze") == ("jose", "ze")
    assert given_forms("luiz") == ("luis",)


def test_a_whole_name_is_no_nickname_of_a_like_spelled_one() -> None:
    assert given_forms("john") == ("jon",)


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz0123456789", max_size=20))
def test_spelling_form_stands_for_itself(token: str) -> None:
    assert phonetic_key(phonetic_key(token)) is not None
    assert isinstance(spelling_form(token), str)
