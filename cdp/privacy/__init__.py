"""cdp/privacy."""
