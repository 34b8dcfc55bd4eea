"""What somebody owns: brokers' exports and funds' holdings files read, and how much of it is really the Mag 7."""
