"""The Open Geography portal (ONS): codes, names and boundaries of areas."""
