"""Polite, bounded requests to publishers. No other package uses the network."""
