"""What people did, as their channels tell of it: events, orders, carts, wish lists, consents."""
