"""Where bytes lie: the store and its two sides, the zones and keys, the lock, the raw document and its index."""
