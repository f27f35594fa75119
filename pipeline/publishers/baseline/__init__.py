"""The figures shipped with the project, used if no publisher answers."""
