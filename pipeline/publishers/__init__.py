"""One folder a publisher: its query, how it is fetched, how it is parsed, what must be in it."""
