"""DuckDB's functions in Python: what compiled conditions call.

Values: text is str, a list a tuple, a date the number of its day since 1970-01-01 (infinity at either end), an exact
decimal Decimal, null None. A function is called without nulls unless it says otherwise.
"""
