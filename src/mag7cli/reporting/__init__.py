"""The report: one page that needs no network, its charts, and the same charts as PNG."""
