"""resolution/standardize."""
