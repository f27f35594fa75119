"""Explore Local Statistics (ONS): one indicator by its slug."""
