"""Social handles: `network:handle`, without the at sign or the profile URL around it."""

import re

from resolution.standardize.shapes import RefusedValueError
from resolution.standardize.tables import pairs_of, words_of
from resolution.standardize.text import fold_text, fold_words, is_one_character

_URL = re.compile(r"^(?:https?://)?(?:www\.|m\.|mobile\.|pt-br\.|web\.|br\.)*([a-z0-9-]+\.[a-z.]{2,6})/(.*)$")
_PATH_PREFIX = re.compile(r"^(?:@|#!/|in/|user/|c/|channel/|people/[^/]+/|s/)+")
_HANDLE = re.compile(r"[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_-])?")
# The networks' own rules; _HANDLE is for the others.
_PATTERNS = {
    "instagram": re.compile(r"[a-z0-9_]+(?:\.[a-z0-9_]+)*"),
    "tiktok": re.compile(r"[a-z0-9_](?:[a-z0-9._]*[a-z0-9_])?"),
    "facebook": re.compile(r"[a-z0-9]+"),  # Its dots are gone by then.
    "x": re.compile(r"[a-z0-9_](?:[a-z0-9._]*[a-z0-9_])?"),
    "linkedin": re.compile(r"[a-z0-9-]+"),
}
_FACEBOOK_ID = re.compile(r"profile\.php\?(?:.*&)?id=(\d+)")
_LENGTHS = {"instagram": (1, 30), "x": (1, 30), "tiktok": (2, 24), "facebook": (3, 50), "telegram": (3, 32)}
_AFFIX = re.compile(r"oficial|official")
_NOT_LETTER = re.compile(r"[^a-z]+")
_SEPARATORS = re.compile(r"[._-]+")


def standardize_handle(raw: str, network: str) -> str:
    """'instagram:joao.silva' from a handle, an @handle or a profile URL, whose host tells a missing network.

    Facebook ignores dots in user names, so they are dropped there. A dot in an X handle is kept: it cannot be
    one, but a source that writes it so does so every time. Raises RefusedValueError: junk, invalid, too_long.
    """
    if len(raw) > 300:
        raise RefusedValueError("too_long")
    text = fold_text(raw).strip().rstrip("/")
    network = _network(network)
    url = _URL.match(text)
    if url and (host := pairs_of("handles", "hosts").get(url[1])):
        network = network or host
        text = _path_handle(url[2])
    elif not network and ":" in text:
        named, _, text = text.partition(":")
        network = _network(named)
    text = text.strip().lstrip("@").strip().strip(".")
    if not network:
        raise RefusedValueError("unknown_network")
    if network == "facebook":
        text = text.replace(".", "")
    return f"{network}:{_checked(network, text)}"


def standardize_scoped_id(raw: str, network: str) -> str:
    """'instagram:id:17841400000000000', an id that only the page or app it was given to can use."""
    scoped_id = raw.strip()
    if not network or not scoped_id.isalnum() or len(scoped_id) > 64:
        raise RefusedValueError("invalid")
    return f"{_network(network)}:id:{scoped_id}"


def handle_word(handle: str) -> str:
    """The handle without network and separators, digits kept: 'x:ana_lima7' -> 'analima7'."""
    return _SEPARATORS.sub("", handle.partition(":")[2])


def handle_letters(handle: str) -> tuple[str, ...]:
    """Letters of the handle without 'oficial', and once more without a leading 'eu' (a habit)."""
    letters = _AFFIX.sub("", _NOT_LETTER.sub("", handle.partition(":")[2]))
    return (letters, letters[2:]) if letters.startswith("eu") else (letters,)


def _network(raw: str) -> str:
    name = fold_words(raw[:40]).replace(" ", "")
    return pairs_of("handles", "networks").get(name, name)


def _path_handle(path: str) -> str:
    if numbered := _FACEBOOK_ID.search(path):
        return numbered[1]
    return re.split(r"[/?#]", _PATH_PREFIX.sub("", path), maxsplit=1)[0]


def _checked(network: str, handle: str) -> str:
    if not handle or handle in words_of("handles", "junk") or (len(handle) > 2 and is_one_character(handle)):
        raise RefusedValueError("junk")
    least, most = _LENGTHS.get(network, (1, 64))
    if not least <= len(handle) <= most or not _PATTERNS.get(network, _HANDLE).fullmatch(handle):
        raise RefusedValueError("invalid")
    return handle
