"""cdp/delivery."""
