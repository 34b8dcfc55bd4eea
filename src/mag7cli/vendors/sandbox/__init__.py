"""A simulated market and its server: what `mag7 demo` and the tests ask instead of the vendor, offline.

Nothing here is market data: prices and share counts are invented around the tables in `data/sandbox_*.csv`, and every
answer made from them says so. Imported by the demo, the sandbox command and the tests only.
"""
