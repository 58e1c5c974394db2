"""The history of the store's schema, one file a version; `cdp migrate` runs it."""
