"""A model compiled for one record at a time: the SQL of its specification as plain Python, without DuckDB.

`syntax` and `conditions` read a condition into a typed expression, `writing` and `pair_writing` write it as Python,
`scorer` puts the levels together. `runtime` holds DuckDB's functions, each shown by a test to give what DuckDB gives.
"""

from __future__ import annotations

from resolution.compile.scorer import CompiledModel, PairScore, Prepared, compile_model

__all__ = ["CompiledModel", "PairScore", "Prepared", "compile_model"]
