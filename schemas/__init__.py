"""Pandera checks of tables on arrival, after parsing, and before publication."""
