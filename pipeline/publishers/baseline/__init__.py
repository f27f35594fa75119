"""The figures shipped with the project, used where no publisher answers."""
