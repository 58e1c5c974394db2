"""E-mail addresses: one lower-case form, providers' rules, typed domains mended, junk and roles refused."""

import re
from functools import lru_cache

from email_validator import EmailNotValidError, validate_email
from rapidfuzz.distance import OSA

from resolution.standardize.shapes import RefusedValueError
from resolution.standardize.tables import pairs_of, words_of
from resolution.standardize.text import fold_text, is_one_character

_PLAIN = re.compile(
    r"[a-z0-9_](?:[a-z0-9_+-]|\.(?!\.))*(?<!\.)@(?:[a-z0-9](?:[a-z0-9]|-(?![-.]))*\.)+(?:com|net|org|br|pt|uk|es|fr|de|it|nl)"
)
_BRACKETS = re.compile(r"<([^<>]+)>\s*$")
_NOT_LETTER = re.compile(r"[^a-z]+")


def standardize_email(raw: str, own_domains: frozenset[str]) -> tuple[str, ...]:
    """The address for matching; when a typed domain was mended, the mended address and then the one as typed.

    'Joao.Silva+promo@Googlemail.com' -> ('joaosilva@gmail.com',). Raises RefusedValueError: junk, invalid,
    organization (role addresses), own_domain, too_long.
    """
    if len(raw) > 320:
        raise RefusedValueError("too_long")
    local, domain = _split(raw)
    mended = mend_domain(domain)
    if domain in own_domains or mended in own_domains:
        raise RefusedValueError("own_domain")
    _refuse_junk(local, domain)
    if mended == domain:
        return (_checked(local, domain),)
    address = _checked(local, mended)
    if mended == "gmail.com" and domain == "googlemail.com":
        return (address,)
    try:
        return (address, _checked(local, domain))
    except RefusedValueError:
        return (address,)


@lru_cache(maxsize=1 << 14)
def mend_domain(domain: str) -> str:
    """The domain meant: by the table, else a great provider's one slip of the finger away, else as typed."""
    typed = pairs_of("emails", "typed_domains").get(domain)
    if typed is not None:
        return typed
    if domain in words_of("emails", "known_domains") or domain in words_of("emails", "tag_domains"):
        return domain
    for meant in sorted(words_of("emails", "mended_domains")):
        if abs(len(meant) - len(domain)) < 2 and OSA.distance(domain, meant, score_cutoff=1) == 1:
            return meant
    return domain


def local_word(address: str) -> str:
    """The local part without separators and tag, digits kept: 'ana_lima78+x@uol.com.br' -> 'analima78'."""
    return _without_separators(address.partition("@")[0].partition("+")[0])


def letters_of(text: str) -> str:
    """Letters only: 'edna_kade68' -> 'ednakade'."""
    letters = text.strip("0123456789")
    return (
        letters
        if letters.isalpha() and letters.isascii() and letters.islower()
        else _NOT_LETTER.sub("", text)
    )


def _split(raw: str) -> tuple[str, str]:
    text = fold_text(raw).strip(" .,;:'\"()[]")
    if "<" in text and (bracketed := _BRACKETS.search(text)):
        text = bracketed[1]
    text = text.strip("<>").removeprefix("mailto:").replace(" ", "")
    local, at, domain = text.rpartition("@")
    if not at or not local or not domain:
        raise RefusedValueError("junk" if _without_separators(text) in _junk_words() else "invalid")
    return local, domain.replace(",", ".").strip(".")


def _without_separators(text: str) -> str:
    return text.replace(".", "").replace("_", "").replace("+", "").replace("-", "")


def _junk_words() -> frozenset[str]:
    return words_of("emails", "junk_locals") | {"", "nao", "sem", "n/a", "na"}


def _refuse_junk(local: str, domain: str) -> None:
    plain = _without_separators(local)
    if (
        domain in words_of("emails", "junk_domains")
        or f"{local}@{domain}" in words_of("emails", "junk_addresses")
        or plain in words_of("emails", "junk_locals")
        or (
            is_one_character(plain) and plain[:1] == domain[:1] and is_one_character(domain.partition(".")[0])
        )
    ):
        raise RefusedValueError("junk")
    if plain in words_of("emails", "role_locals"):
        raise RefusedValueError("organization")


def _checked(local: str, domain: str) -> str:
    if domain in words_of("emails", "tag_domains"):
        local = local.partition("+")[0]
        if domain == "gmail.com":
            local = local.replace(".", "")
    address = f"{local}@{domain}"
    if len(address) <= 80 and len(local) <= 64 and _PLAIN.fullmatch(address):
        return address
    try:
        return validate_email(address, check_deliverability=False).normalized.lower()
    except (EmailNotValidError, UnicodeError):
        raise RefusedValueError("invalid") from None
