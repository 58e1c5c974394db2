"""One record at a time: taken in, resolved among its neighbours, published, in one transaction."""
