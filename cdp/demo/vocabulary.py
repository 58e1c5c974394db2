"""The words of the demo, read from its data files. Read once; what is read never changes."""

import csv
import tomllib
from functools import cache
from importlib.resources import files


@cache
def read_tables(name: str) -> dict[str, object]:
    return tomllib.loads(files("cdp.demo").joinpath(name).read_text(encoding="utf-8"))


@cache
def read_rows(name: str) -> tuple[dict[str, str], ...]:
    return tuple(csv.DictReader(files("cdp.demo").joinpath(name).read_text(encoding="utf-8").splitlines()))


@cache
def entry(*path: str, file: str = "vocabulary.toml") -> object:
    """What stands in the file under this path of keys."""
    found: object = read_tables(file)
    for key in path:
        if not isinstance(found, dict):
            raise KeyError(".".join(path))
        found = found[key]
    return found


@cache
def words(*path: str, file: str = "vocabulary.toml") -> tuple[str, ...]:
    """A list of texts; a single text is a list of words."""
    found = entry(*path, file=file)
    return tuple(found.split()) if isinstance(found, str) else tuple(found)  # type: ignore[arg-type]


def table(*path: str, file: str = "vocabulary.toml") -> dict[str, tuple[str, ...]]:
    """Every key under the path with its list of texts."""
    found = entry(*path, file=file)
    return {key: words(*path, key, file=file) for key in found} if isinstance(found, dict) else {}
