"""cdp/store."""
