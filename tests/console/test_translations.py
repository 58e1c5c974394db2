"""Every text of the console is there in every language, with the same particulars."""

from __future__ import annotations

import re

import pytest

from tests.console.catalogues import LOCALES, MessageId, read_catalogue, texts

_PARTICULAR = re.compile(r"%\((\w+)\)[sd]|%%")


def particulars(text: str) -> set[str]:
    return {match[0] for match in _PARTICULAR.finditer(text)}


def forms(message: MessageId) -> list[str]:
    return [message] if isinstance(message, str) else list(message)


@pytest.mark.parametrize("locale", LOCALES)
def test_no_text_lacks_a_translation(locale: str) -> None:
    catalogue = read_catalogue(locale)

    missing = [
        message
        for message in texts()
        if (found := catalogue.get(forms(message)[0])) is None or not all(forms(found.string))
    ]

    assert missing == []


@pytest.mark.parametrize("locale", LOCALES)
def test_nothing_is_translated_that_nobody_says(locale: str) -> None:
    said = {forms(message)[0] for message in texts()}

    assert [
        message.id for message in read_catalogue(locale) if message.id and forms(message.id)[0] not in said
    ] == []


@pytest.mark.parametrize("locale", LOCALES)
def test_translations_keep_the_particulars(locale: str) -> None:
    catalogue = [message for message in read_catalogue(locale) if message.id]

    assert {
        str(message.id)
        for message in catalogue
        for original, translated in zip(forms(message.id), forms(message.string), strict=True)
        if particulars(original) != particulars(translated)
    } == set()
