"""Maintainers' tools: what writes the files that ship with the project."""
