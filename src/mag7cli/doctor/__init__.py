"""What keeps a run from working, found before it does: this machine, the vendor, AWS."""
