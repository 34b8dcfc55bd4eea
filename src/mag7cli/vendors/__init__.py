"""Who is asked: what a vendor is, how fast and how often, and the vendors themselves."""
