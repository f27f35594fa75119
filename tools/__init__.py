"""Maintainers' tools, which write the files that ship with the project."""
