"""Which encoding a text file is in. The whole file is looked at, in bounded memory, before it is parsed."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path

from cdp.intake.errors import InputFileError
from cdp.intake.streams import ByteStream, refuse_binary

# What a mapping file may name; the value is what Python calls it.
KNOWN_ENCODINGS = {
    "utf-8": "utf-8-sig",
    "utf-16": "utf-16",
    "utf-16-le": "utf-16-le",
    "utf-16-be": "utf-16-be",
    "latin-1": "latin-1",
    "iso-8859-1": "latin-1",
    "iso-8859-15": "iso-8859-15",
    "cp1252": "cp1252",
    "windows-1252": "cp1252",
    "cp850": "cp850",
    "mac-roman": "mac-roman",
}


def detect_encoding(path: Path) -> str:
    """A byte order mark decides; then UTF-16 by its NULs; then UTF-8 if most lines that could tell are UTF-8.

    What is left is cp1252, the encoding of Western spreadsheets and a superset of printable Latin-1.
    Raises InputFileError for what is no text.
    """
    with ByteStream(path) as stream:
        head = stream.read()
        if head.startswith(codecs.BOM_UTF8):
            return "utf-8-sig"
        if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        wide = _utf16_by_nuls(head)
        if wide:
            return wide
        refuse_binary(path, head)
        utf8_lines, other_lines = _count_lines(head, stream)
    return "utf-8-sig" if utf8_lines >= other_lines else "cp1252"


def _utf16_by_nuls(head: bytes) -> str | None:
    even, odd = head[0::2], head[1::2]
    if not odd:
        return None
    if odd.count(0) * 2 > len(odd) and even.count(0) * 20 < len(even):
        return "utf-16-le"
    if even.count(0) * 2 > len(even) and odd.count(0) * 20 < len(odd):
        return "utf-16-be"
    return None


def _count_lines(head: bytes, stream: ByteStream) -> tuple[int, int]:
    """Lines with letters beyond ASCII that are UTF-8, and that are not."""
    utf8_lines = other_lines = 0
    piece, rest = head, b""
    while piece:
        whole, _, tail = (rest + piece).rpartition(b"\n")
        rest = tail if len(tail) < (1 << 20) else b""
        if not whole.isascii():
            good, bad = _judge_lines(whole)
            utf8_lines += good
            other_lines += bad
        piece = stream.read()
    good, bad = _judge_lines(rest)
    return utf8_lines + good, other_lines + bad


def _judge_lines(text: bytes) -> tuple[int, int]:
    good = bad = 0
    for line in text.split(b"\n"):
        if line.isascii():
            continue
        try:
            line.decode("utf-8")
            good += 1
        except UnicodeDecodeError:
            bad += 1
    return good, bad


def decode_pieces(path: Path, stream: ByteStream, encoding: str) -> Iterator[str]:
    """Text of a file in pieces. An undecodable byte becomes a lone surrogate, which refuses its row later;
    UTF-16 has no such way out and raises InputFileError."""
    errors = "strict" if encoding.startswith("utf-16") else "surrogateescape"
    decoder = codecs.getincrementaldecoder(encoding)(errors)
    try:
        for piece in stream.pieces():
            yield decoder.decode(piece)
        yield decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise InputFileError(f"{path}: is not {encoding} all through ({error.reason}).") from error
