"""The builder of the figures that ship with the project."""
