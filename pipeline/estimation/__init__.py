"""Errors estimated from the figures themselves: their course over time, revisions, scatter, and what follows for slopes and draws."""
