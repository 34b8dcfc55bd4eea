"""The words of the market, pure: sessions, symbols, who was in the index, a holdings file, the records of a vendor."""
