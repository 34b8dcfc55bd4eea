"""What share counts mean, pure: split units, readings, history, what is uncertain, which to ask for."""
