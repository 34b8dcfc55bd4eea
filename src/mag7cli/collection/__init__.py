"""From a range of dates to raw documents: what is missing, what it costs, what was answered, the document."""
