"""One folder a publisher: its queries, how answers are fetched and parsed, and what they must contain."""
