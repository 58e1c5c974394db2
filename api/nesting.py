"""How deep JSON nests, told before it is read: a reader enters every bracket, and the stack is not endless."""

from __future__ import annotations

import re

DEPTH_LIMIT = 32
# The brackets around an element of a list that is a member of the whole: object, list, element.
_ELEMENT_DEPTH = 3
# A text to its end or, where it has none, to the end of all; each byte is looked at once.
_TEXT = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?'
_TEXTS = re.compile(_TEXT, re.DOTALL)
_TEXTS_AND_BRACKETS = re.compile(_TEXT + rb"|[\[{]++|[\]}]++", re.DOTALL)
_AS_SQUARE = bytes.maketrans(b"{}", b"[]")
_NO_BRACKET = bytes(set(range(256)) - set(b"[]{}"))


def depth_of(body: bytes) -> int:
    """How deep the brackets nest, one more than the limit at most; texts do not count.

    The innermost pairs go together, level by level, so that a batch of records is looked at a few times and not
    bracket by bracket. What has no other half is no JSON: a reader would enter all that is open.
    """
    if body.count(b"[") + body.count(b"{") <= DEPTH_LIMIT:
        return 0
    brackets = _TEXTS.sub(b"", body).translate(_AS_SQUARE, _NO_BRACKET)
    for depth in range(DEPTH_LIMIT + 1):
        outer = brackets.replace(b"[]", b"")
        if len(outer) == len(brackets):
            return depth + brackets.count(b"[")
        brackets = outer
    return DEPTH_LIMIT + 1


def cut_deep_elements(body: bytes, mark: bytes) -> tuple[bytes, int]:
    """The body with the mark in the place of every element, of a list in the outermost object, that nests past the
    limit, and how many these are. What is not closed stays."""
    kept: list[bytes] = []
    depth = deepest = begun = told = count = 0
    for found in _TEXTS_AND_BRACKETS.finditer(body):
        start, end = found.span()
        if body[start] == ord('"'):
            continue
        before = depth
        depth += end - start if body[start] in b"[{" else start - end
        deepest = max(deepest, depth)
        if before < _ELEMENT_DEPTH <= depth:
            begun, deepest = start + _ELEMENT_DEPTH - before - 1, depth
        elif depth < _ELEMENT_DEPTH <= before and deepest > DEPTH_LIMIT:
            kept += [body[told:begun], mark]
            told = start + before - _ELEMENT_DEPTH + 1
            count += 1
    return b"".join([*kept, body[told:]]), count
