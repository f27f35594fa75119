"""Publishers' bytes to tidy observations: one parser a format, one meaning for every status mark and period."""
