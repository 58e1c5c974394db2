"""The pieces the demo is made of: numbers, names, noise, phrases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from random import Random

import numpy as np
import pytest
from stdnum.br import cpf
from stdnum.pt import nif

from cdp.demo import noise
from cdp.demo.chance import Choices
from cdp.demo.derive_names import derive_names
from cdp.demo.names import Frequencies, load_brazilian_names, load_portuguese_names, tabulate
from cdp.demo.numbers import CPF_BASES, Claims, Numbers, Scatter
from cdp.demo.phrases import Matter, Subject, load_products, load_subjects, note, say
from cdp.demo.vocabulary import table, words


def test_a_scatter_gives_every_number_once() -> None:
    scatter = Scatter(9_973, Random(1))

    numbers = [scatter.next() for _ in range(9_973)]

    assert sorted(numbers) == list(range(9_973))
    assert numbers[:100] != sorted(numbers[:100])


def test_cpfs_and_nifs_are_valid_and_different() -> None:
    numbers = Numbers(seed=1)

    cpfs, nifs = [numbers.cpf(8) for _ in range(500)], [numbers.nif() for _ in range(500)]

    assert all(map(cpf.is_valid, cpfs))
    assert all(map(nif.is_valid, nifs))
    assert len(set(cpfs)) == len(set(nifs)) == 500


@pytest.mark.parametrize("famous", ["00000000", "33333333", "12345678"])
def test_the_famous_false_cpfs_are_never_given(famous: str) -> None:
    numbers = Numbers(seed=1)
    numbers.cpfs = iter_scatter(int(famous))

    given = numbers.cpf(int(famous[-1]) if famous[0] == famous[1] else 9)

    assert int(given[:8]) >= CPF_BASES
    assert cpf.is_valid(given)


def iter_scatter(value: int) -> Scatter:
    scatter = Scatter(CPF_BASES, Random(1))
    scatter.multiplier, scatter.counter = 1, iter([value])  # type: ignore[assignment]
    return scatter


def test_a_text_is_claimed_once() -> None:
    claims = Claims()

    assert [claims.claim("ana@example.com"), claims.claim("ana@example.com")] == [True, False]


def test_choices_follow_their_weights() -> None:
    choices, random = Choices(("often", 3.0), ("seldom", 1.0), ("never", 0.0)), Random(1)

    drawn = [choices.draw(random) for _ in range(4000)]

    assert 0.72 < drawn.count("often") / 4000 < 0.78
    assert "never" not in drawn


def test_frequent_names_are_drawn_often() -> None:
    surnames = load_brazilian_names().surnames.draw(np.random.default_rng(1), 20_000)

    assert 0.06 < surnames.count("Silva") / 20_000 < 0.14
    assert len(set(surnames)) > 1_000


@pytest.mark.parametrize(
    "frequencies",
    [
        load_brazilian_names().female,
        load_brazilian_names().male,
        load_brazilian_names().surnames,
        load_portuguese_names().female,
        load_portuguese_names().male,
        load_portuguese_names().surnames,
    ],
    ids=["br-female", "br-male", "br-surnames", "pt-female", "pt-male", "pt-surnames"],
)
def test_names_are_written_tidily_and_once(frequencies: Frequencies) -> None:
    names = frequencies.names

    assert len(set(names)) == len(names)
    assert all(name[0].isupper() and name == name.strip() and " " not in name for name in names)


def test_rare_names_get_their_share_and_no_more() -> None:
    found = tabulate([("Ana", 3), ("Eva", 1)], ["Josilene", "Ana"], 0.2)

    assert found.names == ("Ana", "Eva", "Josilene")
    assert found.totals.tolist() == pytest.approx([0.6, 0.8, 1.0])


def test_names_are_derived_with_accents_and_a_falling_tail(tmp_path: Path) -> None:
    statistics = tmp_path / "statistics.csv"
    statistics.write_text(
        "kind,name,people,share_female\ngiven,joao,90,0.00\ngiven,ana,80,1.00\n"
        "surname,silva,1000,\nsurname,araujo,500,\n"
    )

    derive_names(statistics, tmp_path / "names.csv")

    rows = (tmp_path / "names.csv").read_text("utf-8").splitlines()
    assert rows[:5] == [
        "kind,name,people,share_female", "given,João,90,0.00", "given,Ana,80,1.00", "surname,Silva,1000,",
        "surname,Araújo,500,",
    ]  # fmt: skip
    assert rows[5:7] == ["surname,Ramos,339,", "surname,Cardoso,257,"]


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (noise.mistype, "Joana Pereira"),
        (noise.misspell, "Luiza Souza"),
        (noise.garble, "João"),
        (noise.mistype_digit, "39053344705"),
        (noise.mistype_email, "joana@gmail.com"),
    ],
    ids=["mistype", "misspell", "garble", "digit", "email"],
)
def test_noise_changes_the_value_a_little(spoil: Callable[[str, Random], str], text: str) -> None:
    spoilt = [spoil(text, Random(seed)) for seed in range(50)]

    assert all(abs(len(each) - len(text)) <= 3 for each in spoilt)
    assert sum(each != text for each in spoilt) > 40


def test_garbled_text_is_utf8_read_wrongly() -> None:
    assert noise.garble("João", Random(1)) == "JoÃ£o"


@pytest.mark.parametrize("birth_on", [date(1980, 2, 29), date(1979, 12, 31), date(2000, 1, 1)])
def test_a_mistaken_birth_date_is_another_real_date(birth_on: date) -> None:
    mistaken = {noise.mistake_birth(birth_on, Random(seed)) for seed in range(60)}

    assert birth_on not in mistaken
    assert len(mistaken) >= 3


def test_day_and_month_are_swapped_only_where_that_is_a_date() -> None:
    assert noise.swap_day_and_month(date(1980, 3, 5)) == date(1980, 5, 3)
    assert noise.swap_day_and_month(date(1980, 3, 25)) == date(1980, 3, 25)


@pytest.mark.parametrize("subject", load_subjects().values, ids=lambda subject: subject.name)
@pytest.mark.parametrize("order_id", [None, "12345678"], ids=["without-order", "with-order"])
def test_every_phrase_of_a_subject_can_be_said(subject: Subject, order_id: str | None) -> None:
    product = next(product for product in load_products() if product.name == "cafeteira")
    matter = Matter(subject, order_id, product, "199.90", 5, female=True)

    said = {speak(matter, again=again, random=Random(n)) for n in range(80) for again in (True, False)
            for speak in (say, note)}  # fmt: skip

    assert not [text for text in said if "{" in text or "None" in text or "199.90" in text]


def test_articles_and_endings_agree_with_the_product() -> None:
    product = next(product for product in load_products() if product.name == "celular")
    subject = Subject("x", 1.0, 0.0, ("{the_item} {of_item} {in_item} quebrad{x} obrigad{x_customer}",), ())
    matter = Matter(subject, "1", product, "1.00", 1, female=True)

    assert say(matter, again=False, random=Random(1)) == "o celular do celular no celular quebrado obrigada"


def test_vocabulary_reads_words_and_lists() -> None:
    assert words("names", "portugal", "male")[:2] == ("João", "José")
    assert words("places", "street_titles")[0] == "Doutor"
    assert table("names", "particles")["Santos"] == ("dos", "0.75")
