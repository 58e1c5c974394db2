"""What a profile is made of and why, as answers tell it: its records, its ledger, its explanation."""

from __future__ import annotations

import marshmallow as ma

from api.fields import IdentifiersField, InstantField, MapField, TextField
from api.masks import ATTRIBUTES, IDENTIFIER, MASKED_FOR_ALL, SHOWN, SOURCE_KEY, TEXT
from api.view_schemas import PROFILE_ID_EXAMPLE
from cdp.identity.explain import LANGUAGES
from cdp.identity.identifier_reports import OUTCOMES as REPORT_OUTCOMES


class RecordIdentifierSchema(ma.Schema):
    type = TextField(SHOWN, required=True, metadata={"examples": ["email"]})
    value = TextField(IDENTIFIER, required=True, metadata={"examples": ["a***@example.com"]})
    verified = ma.fields.Boolean(required=True)


class RefusalSchema(ma.Schema):
    """A value that was not used."""

    field = TextField(SHOWN, required=True, metadata={"examples": ["/phones/0"]})
    reason = TextField(SHOWN, required=True, metadata={"examples": ["junk"]})


class StoredRefusalSchema(RefusalSchema):
    """A value of a stored record that was not used."""

    # The names of free attributes are the sender's, and not always those of who reads.
    field = TextField(TEXT, required=True, metadata={"examples": ["/phones/0"]})


class RecordSchema(ma.Schema):
    """What one source said about the person."""

    record_id = ma.fields.Integer(required=True)
    source = TextField(SHOWN, required=True, metadata={"examples": ["crm"]})
    source_record_id = TextField(SOURCE_KEY, required=True, metadata={"examples": ["c-481"]})
    occurred_at = InstantField(required=True, metadata={"format": "date-time"})
    received_at = InstantField(required=True, metadata={"format": "date-time"})
    values = MapField(ATTRIBUTES, required=True, metadata={"description": "Standardized values."})
    identifiers = IdentifiersField(RecordIdentifierSchema)
    refusals = ma.fields.List(ma.fields.Nested(StoredRefusalSchema), required=True)


class PageOfRecordsSchema(ma.Schema):
    data = ma.fields.List(ma.fields.Nested(RecordSchema), required=True)
    next_cursor = TextField(SHOWN, required=True, allow_none=True)
    model_version = ma.fields.Integer(required=True, allow_none=True)


class MoveSchema(ma.Schema):
    record_id = ma.fields.Integer(required=True)
    from_profile_id = TextField(SHOWN, required=True, allow_none=True)
    to_profile_id = TextField(SHOWN, required=True, allow_none=True)


class LedgerEntrySchema(ma.Schema):
    """One change of membership."""

    ledger_entry_id = ma.fields.Integer(required=True)
    kind = TextField(SHOWN, required=True, metadata={"examples": ["join"]})
    profile_id = TextField(SHOWN, required=True, metadata={"examples": [PROFILE_ID_EXAMPLE]})
    author = TextField(SHOWN, required=True)
    reason = TextField(SHOWN, required=True)
    model_version = ma.fields.Integer(required=True, allow_none=True)
    run_id = ma.fields.Integer(required=True, allow_none=True)
    recorded_at = InstantField(required=True, metadata={"format": "date-time"})
    undone_by = ma.fields.Integer(
        required=True, allow_none=True, metadata={"description": "The entry that took this one back."}
    )
    moves = ma.fields.List(ma.fields.Nested(MoveSchema), required=True)


class PageOfLedgerEntriesSchema(ma.Schema):
    data = ma.fields.List(ma.fields.Nested(LedgerEntrySchema), required=True)
    next_cursor = TextField(SHOWN, required=True, allow_none=True)
    model_version = ma.fields.Integer(required=True, allow_none=True)


class ComparisonExplanationSchema(ma.Schema):
    """What one comparison says, in bits; level_weight and frequency_weight add up to match_weight."""

    comparison = TextField(SHOWN, required=True, metadata={"examples": ["given_name"]})
    label = TextField(SHOWN, required=True, metadata={"examples": ["first name"]})
    level = TextField(SHOWN, required=True, metadata={"examples": ["equal"]})
    is_missing = ma.fields.Boolean(required=True, metadata={"description": "A value is absent: no weight."})
    level_weight = ma.fields.Float(required=True, metadata={"examples": [6.9]})
    frequency_weight = ma.fields.Float(
        required=True, metadata={"description": "What the rarity of the value adds.", "examples": [2.1]}
    )
    match_weight = ma.fields.Float(required=True, metadata={"examples": [9.0]})


class PairEvidenceSchema(ma.Schema):
    """A scored pair: prior_match_weight and the weights of the comparisons add up to match_weight."""

    model_version = ma.fields.Integer(required=True)
    prior_match_weight = ma.fields.Float(required=True, metadata={"examples": [-16.0]})
    match_weight = ma.fields.Float(required=True, metadata={"examples": [14.2]})
    match_probability = ma.fields.Float(required=True, metadata={"examples": [0.9999]})
    comparisons = ma.fields.List(ma.fields.Nested(ComparisonExplanationSchema), required=True)


class ReportLineSchema(ma.Schema):
    """A standing report about an identifier that takes part in what is explained."""

    report_id = ma.fields.Integer(required=True)
    type = TextField(SHOWN, required=True, metadata={"examples": ["phone"]})
    value = TextField(
        MASKED_FOR_ALL, required=True, metadata={"description": "Masked.", "examples": ["+55***4321"]}
    )
    outcome = TextField(SHOWN, required=True, metadata={"enum": list(REPORT_OUTCOMES)})
    reported_at = InstantField(required=True, metadata={"format": "date-time"})
    text = TextField(SHOWN, required=True)


class JoinExplanationSchema(ma.Schema):
    ledger_entry_id = ma.fields.Integer(required=True)
    author = TextField(SHOWN, required=True)
    recorded_at = InstantField(required=True, metadata={"format": "date-time"})
    record_id_l = ma.fields.Integer(required=True)
    record_id_r = ma.fields.Integer(required=True)
    kind = TextField(SHOWN, required=True, metadata={"enum": ["evidence", "must_link"]})
    mean_weight = ma.fields.Float(
        required=True, allow_none=True, metadata={"description": "Over all pairs of what was joined."}
    )
    pair = ma.fields.Nested(
        PairEvidenceSchema, required=True, allow_none=True, metadata={"description": "null when not kept."}
    )
    reports = ma.fields.List(
        ma.fields.Nested(ReportLineSchema),
        required=True,
        metadata={"description": "About values that both records hold."},
    )
    text = TextField(SHOWN, required=True)


class ExplanationSchema(ma.Schema):
    profile_id = TextField(SHOWN, required=True, metadata={"examples": [PROFILE_ID_EXAMPLE]})
    version = ma.fields.Integer(required=True)
    model_version = ma.fields.Integer(required=True, allow_none=True)
    language = TextField(SHOWN, required=True, metadata={"enum": list(LANGUAGES)})
    text = TextField(SHOWN, required=True)
    joins = ma.fields.List(ma.fields.Nested(JoinExplanationSchema), required=True)
    joins_left_out = ma.fields.Integer(
        required=True,
        metadata={
            "description": "How many more brought the records together; the ledger tells 50 joins an entry.",
            "examples": [0],
        },
    )
    reports = ma.fields.List(
        ma.fields.Nested(ReportLineSchema),
        required=True,
        metadata={"description": "About values that its records hold."},
    )
