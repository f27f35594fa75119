"""Pandera models: what a table must look like on arrival, on leaving the tidy room, and before it is published."""
