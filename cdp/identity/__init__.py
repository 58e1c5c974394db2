"""cdp/identity."""
