"""Stores beyond the local folder; each is imported only when a lake's address asks for it."""
