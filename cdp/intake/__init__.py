"""Files from outside: readers, mapping, checks at the edge, rejects. Nothing here touches the store."""
