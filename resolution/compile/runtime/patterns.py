"""LIKE patterns and the regular expressions of RE2, DuckDB's engine, as Python's.

RE2 knows what Python knows, and the two differ in places: blanks, word characters and case are ASCII's or Unicode's,
`$` matches before a last line end or not, repeated empty matches go other ways. So an expression is read and written
anew, and what would differ, or is not known here, is refused.
"""

from __future__ import annotations

import re

# RE2's blanks are without the vertical tab.
_CLASSES = {"d": "0-9", "w": "0-9A-Za-z_", "s": r"\t\n\f\r "}
_CONTROL = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "a": "\a"}
_POSIX = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "digit": "0-9",
    "lower": "a-z",
    "upper": "A-Z",
    "punct": r"!-/:-@\[-`{-~",
    "space": r"\t\n\v\f\r ",
    "xdigit": "0-9A-Fa-f",
}
# What simple case folding holds for the same letter as an ASCII one.
_FOLDED = {"k": "\u212a", "s": "\u017f"}
_REPETITIONS = 1000


class PatternError(ValueError):
    """A pattern that would not match the same in Python."""


def like(pattern: str, escape: str = "") -> re.Pattern[str]:
    """What a whole text is to match: % any text, _ any character, each of them itself after the escape."""
    parts, characters = [], iter(pattern)
    for character in characters:
        if character == escape:
            following = next(characters, None)
            if following is None:
                raise PatternError(f"LIKE {pattern!r} ends with its escape character")
            parts.append(re.escape(following))
        else:
            parts.append({"%": ".*", "_": "."}.get(character, re.escape(character)))
    return re.compile("".join(parts), re.DOTALL)


def regular_expression(pattern: str, options: str = "") -> re.Pattern[str]:
    """Options: 'i' ignores case, 'c' does not, 's' lets a dot match line ends. Raises PatternError."""
    if unknown := set(options) - set("ics"):
        raise PatternError(f"the option {min(unknown)!r} of a regular expression")
    return re.compile(_Reader(pattern, "i" in options, "s" in options).read(), re.ASCII)


def replacement(expression: re.Pattern[str], text: str, template: str, count: int) -> str:
    r"""The text with matches (all for 0) replaced; \0 to \9 in the template stand for what groups matched."""

    def filled(found: re.Match[str]) -> str:
        return re.sub(
            r"\\([0-9\\])", lambda code: "\\" if code[1] == "\\" else found[int(code[1])] or "", template
        )

    return expression.sub(filled, text, count)


def check_template(expression: re.Pattern[str], template: str) -> None:
    """Raises PatternError for a replacement that names no group, or has a lone backslash."""
    for code in re.findall(r"\\(.?)", template, re.DOTALL):
        if code != "\\" and not (code.isdigit() and int(code) <= expression.groups):
            raise PatternError(f"the replacement {template!r} of a regular expression")


def extract(expression: re.Pattern[str], text: str, group: int) -> str:
    """What the first match gives for the group, empty when nothing does."""
    found = expression.search(text)
    return (found[group] or "") if found and group <= expression.groups else ""


class _Reader:
    """One pass over an expression. Each part is written as Python's, with whether it can match nothing at all."""

    def __init__(self, pattern: str, ignores_case: bool, dot_matches_all: bool) -> None:
        self.pattern, self.place = pattern, 0
        self.ignores_case, self.dot_matches_all = ignores_case, dot_matches_all

    def read(self) -> str:
        written, _ = self._alternatives()
        if self.place < len(self.pattern):
            raise self._refusal("a closing parenthesis")
        return written

    def _refusal(self, what: str) -> PatternError:
        return PatternError(f"{what} in the regular expression {self.pattern!r}")

    def _next(self) -> str:
        return self.pattern[self.place : self.place + 1]

    def _take(self) -> str:
        self.place += 1
        return self.pattern[self.place - 1 : self.place]

    def _accept(self, text: str) -> bool:
        if not self.pattern.startswith(text, self.place):
            return False
        self.place += len(text)
        return True

    def _alternatives(self) -> tuple[str, bool]:
        branches = [self._sequence()]
        while self._accept("|"):
            branches.append(self._sequence())
        return "|".join(written for written, _ in branches), any(empty for _, empty in branches)

    def _sequence(self) -> tuple[str, bool]:
        written, can_be_empty = "", True
        while self._next() not in ("", "|", ")"):
            part, empty = self._repeated()
            written, can_be_empty = written + part, can_be_empty and empty
        return written, can_be_empty

    def _repeated(self) -> tuple[str, bool]:
        part, empty = self._part()
        count = self._repetition()
        if not count:
            return part, empty
        if empty:
            raise self._refusal("the repetition of what may match nothing")
        lazy = "?" if self._accept("?") else ""
        if self._repetition():
            raise self._refusal("a repetition of a repetition")
        return part + count + lazy, count in ("*", "?") or count.startswith("{0")

    def _repetition(self) -> str:
        if self._next() in ("*", "+", "?"):
            return self._take()
        if self._next() != "{":
            return ""
        found = re.compile(r"\{(0|[1-9]\d*)(?:,(0|[1-9]\d*)?)?\}", re.ASCII).match(self.pattern, self.place)
        bounds = [int(bound) for bound in found.groups() if bound] if found else []
        if found is None or max(bounds) > _REPETITIONS or bounds != sorted(bounds):
            raise self._refusal("a brace that is no repetition")
        self.place = found.end()
        return found[0]

    def _part(self) -> tuple[str, bool]:
        character = self._take()
        if character == "(":
            return self._group()
        if character == "[":
            return self._bracket(), False
        if character == "\\":
            return self._escaped()
        if character == ".":
            return ("(?s:.)" if self.dot_matches_all else "."), False
        if character in "^$":
            return {"^": r"\A", "$": r"\Z"}[character], True
        if character in "*+?{}]":
            raise self._refusal(f"a bare {character}")
        return self._literal(character), False

    def _group(self) -> tuple[str, bool]:
        opening = "(?:" if self._accept("?:") else "("
        if self._next() == "?":
            raise self._refusal("a group with flags or a name")
        inner, empty = self._alternatives()
        if not self._accept(")"):
            raise self._refusal("an unclosed group")
        return f"{opening}{inner})", empty

    def _escaped(self) -> tuple[str, bool]:
        character = self._take()
        if character in ("b", "A", "z"):
            return {"b": r"\b", "A": r"\A", "z": r"\Z"}[character], True
        if character.lower() in _CLASSES and character:
            self._require_case("a class of characters")
            return f"[{'^' if character.isupper() else ''}{_CLASSES[character.lower()]}]", False
        return self._literal(self._plain(character)), False

    def _plain(self, character: str) -> str:
        """What an escaped character stands for by itself."""
        if character in _CONTROL:
            return _CONTROL[character]
        if not character or character.isalnum() or not character.isascii():
            raise self._refusal(f"the escape \\{character}")
        return character

    def _literal(self, character: str) -> str:
        if not self.ignores_case:
            return re.escape(character)
        if not character.isascii():
            raise self._refusal("a letter without case")
        return f"[{self._range(character, character)}]" if character.isalpha() else re.escape(character)

    def _require_case(self, what: str) -> None:
        if self.ignores_case:
            raise self._refusal(f"{what} without case")

    def _bracket(self) -> str:
        written = "^" if self._accept("^") else ""
        first = True
        while first or self._next() != "]":
            if not self._next():
                raise self._refusal("an unclosed bracket")
            written += self._member()
            first = False
        self._take()
        return f"[{written}]"

    def _member(self) -> str:
        if found := re.compile(r"\[:([a-z]+):\]").match(self.pattern, self.place):
            self._require_case("a class of characters")
            if found[1] not in _POSIX:
                raise self._refusal(f"the class {found[1]}")
            self.place = found.end()
            return _POSIX[found[1]]
        if self._next() == "\\" and self.pattern[self.place + 1 : self.place + 2] in _CLASSES:
            self._require_case("a class of characters")
            self.place += 2
            return _CLASSES[self.pattern[self.place - 1]]
        low = self._member_character()
        if self._next() != "-" or self.pattern[self.place + 1 : self.place + 2] in ("]", ""):
            return self._range(low, low)
        self._take()
        return self._range(low, self._member_character())

    def _member_character(self) -> str:
        character = self._take()
        if character == "[":
            raise self._refusal("a bracket within brackets")
        return self._plain(self._take()) if character == "\\" else character

    def _range(self, low: str, high: str) -> str:
        if low > high:
            raise self._refusal("a range that runs backwards")
        if not self.ignores_case:
            return re.escape(low) if low == high else f"{re.escape(low)}-{re.escape(high)}"
        if not high.isascii():
            raise self._refusal("a letter without case")
        members = [chr(code) for code in range(ord(low), ord(high) + 1)]
        folded = {
            form for each in members for form in (each.lower(), each.upper(), _FOLDED.get(each.lower(), each))
        }
        return "".join(re.escape(each) for each in sorted(folded))
