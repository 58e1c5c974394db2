"""Claims: identifiers that somebody typed where nobody had to prove them, so that they may be another person's."""

import hashlib

import orjson

from resolution.standardize.draft import Draft
from resolution.standardize.shapes import Identifier


def add_claims(draft: Draft) -> None:
    """The linkage columns of a record from a source of claims; nothing where every identifier is verified.

    claimed*: 'kind:value' of what is not verified, a phone by its variant key, since a claim is about the line.
    claim_digest: where all identifiers are claims, a digest of everything that the record says. Two records with
    the same digest tell nothing about each other. It covers the other columns, which must be there already.
    """
    identifiers = draft.identifiers.values()
    proven = {_claim(each) for each in identifiers if each.verified}
    claimed = {_claim(each) for each in identifiers} - proven
    if claimed and not proven:
        said = orjson.dumps(draft.linkage, option=orjson.OPT_SORT_KEYS)
        draft.linkage["claim_digest"] = hashlib.md5(said, usedforsecurity=False).hexdigest()
    draft.put_list("claimed", claimed)


def _claim(identifier: Identifier) -> str:
    return f"{identifier.kind}:{identifier.variant or identifier.value}"
