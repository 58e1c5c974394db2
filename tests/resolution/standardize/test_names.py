"""Names: order, particles, agnomens, titles, initials, junk; and how they are shown."""

import pytest

from resolution.standardize.names import name_words, standardize_name
from resolution.standardize.shapes import RefusedValueError

ACCEPTED = {
    "plain": ("João da Silva", "João da Silva", "joao silva", None),
    "capitals": ("MARIA DA SILVA E SOUZA", "Maria da Silva e Souza", "maria silva souza", None),
    "small": ("maria d'ávila", "Maria d'Ávila", "maria avila", None),
    "blanks": ("  Ana \t  Lima ", "Ana Lima", "ana lima", None),
    "mixed case stays": ("Ana McDonald", "Ana McDonald", "ana mcdonald", None),
    "surname first": ("SILVA, João", "João Silva", "joao silva", None),
    "surname first with particle": (
        "da Silva Ibarra, Inácio",
        "Inácio da Silva Ibarra",
        "inacio silva ibarra",
        None,
    ),
    "surname and agnomen first": ("SILVA FILHO, João da", "João da Silva Filho", "joao silva", "filho"),
    "Filho": ("João da Silva Filho", "João da Silva Filho", "joao silva", "filho"),
    "Fº": ("João da Silva Fº", "João da Silva Fº", "joao silva", "filho"),
    "Júnior": ("JOÃO SILVA JÚNIOR", "João Silva Júnior", "joao silva", "junior"),
    "Jr.": ("João Silva Jr.", "João Silva Jr.", "joao silva", "junior"),
    "Jr. after a comma": ("João Silva, Jr.", "João Silva Jr.", "joao silva", "junior"),
    "Neto": ("João Neto", "João Neto", "joao", "neto"),
    "Sobrinho": ("João Lima Sobrinho", "João Lima Sobrinho", "joao lima", "sobrinho"),
    "Segundo": ("João Lima II", "João Lima II", "joao lima", "segundo"),
    "Neto alone is a name": ("Neto", "Neto", "neto", None),
    "title": ("Dra. Ana Lima", "Ana Lima", "ana lima", None),
    "two titles": ("Sr. Dr. João Lima", "João Lima", "joao lima", None),
    "professor": ("profa. Ana Lima", "Ana Lima", "ana lima", None),
    "initials": ("ROGERIO G. M. DE ASSIS", "Rogerio G. M. de Assis", "rogerio g m assis", None),
    "initials run together": ("W.H. Smith", "W. H. Smith", "w h smith", None),
    "initial that is also a particle": ("Maria E. Lima", "Maria E. Lima", "maria e lima", None),
    "rank as a name": ("James Earl Jones", "James Earl Jones", "james earl jones", None),
    "rank at the end": ("john smith esq", "John Smith", "john smith", None),
    "one word": ("Cremilda", "Cremilda", "cremilda", None),
    "emoji": ("Bia 🌻", "Bia", "bia", None),
    "hyphen": ("Edward Capel-Cure", "Edward Capel Cure", "edward capel cure", None),
    "O'Brien": ("SEAN O'BRIEN", "Sean O'Brien", "sean obrien", None),
    "Dutch particle": ("jan van der berg", "Jan van der Berg", "jan berg", None),
    "rank after a comma": ("thomas monsell, baron emly", "Thomas Monsell Emly", "thomas monsell emly", None),
    "ordinal": ("sir frank bowater, 1st baronet", "Frank Bowater", "frank bowater", None),
    "surname said twice": ("eric horne, horne", "Eric Horne", "eric horne", None),
    "typing error kept": ("joseph w8lcocks", "Joseph W8lcocks", "joseph w8lcocks", None),
    "digits at the end": ("maria2", "Maria2", "maria", None),
    "aside": ("John Smith (physician)", "John Smith", "john smith", None),
    "ligature": ("ælfflæd", "Ælfflæd", "aelfflaed", None),
}

REFUSED = {
    "sign": ("~", "junk"),
    "emoji alone": ("🙏", "junk"),
    "client": ("CLIENTE", "junk"),
    "test": ("teste", "junk"),
    "not informed": ("Não informado", "junk"),
    "one letter again and again": ("xxx", "junk"),
    "front desk": ("Atendimento", "junk"),
    "number": ("11987654321", "junk"),
    "client and counter": ("CLIENTE BALCAO", "junk"),
    "saying": ("Deus é fiel", "junk"),
    "studio": ("Studio Bella", "organization"),
    "address of e-mail": ("ana@example.com", "invalid"),
    "household": ("Fam. Silva", "household"),
    "company": ("Padaria Boa Vista LTDA", "organization"),
    "too long": ("a" * 201, "too_long"),
}


@pytest.mark.parametrize(("raw", "shown", "tokens", "agnomen"), ACCEPTED.values(), ids=ACCEPTED)
def test_name_is_kept_as(raw: str, shown: str, tokens: str, agnomen: str | None) -> None:
    name = standardize_name(" ".join(raw.split()))

    assert (name.shown, " ".join(name.tokens), name.agnomen) == (shown, tokens, agnomen)


@pytest.mark.parametrize(("raw", "reason"), REFUSED.values(), ids=REFUSED)
def test_name_is_refused_as(raw: str, reason: str) -> None:
    with pytest.raises(RefusedValueError) as refusal:
        standardize_name(raw)

    assert refusal.value.reason == reason


def test_a_word_cut_by_a_narrow_field_is_no_surname() -> None:
    name = standardize_name("LORENA REGINALDA DE VISMARA SI")

    assert name.cut
    assert name.tokens == ("lorena", "reginalda", "vismara")


def test_a_long_last_word_at_the_same_width_is_kept() -> None:
    assert not standardize_name("Maria Francisca Soares Pinheir").cut


def test_name_words_are_the_ways_to_write_a_local_part() -> None:
    words = name_words(("joao", "carlos", "silva"), "neto")

    assert {"joaosilva", "silvajoao", "jsilva", "joaos", "joaocarlos", "jcsilva", "joaoneto"} <= set(words)
    assert words == sorted(set(words))
