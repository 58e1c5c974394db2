"""cdp/intake."""
