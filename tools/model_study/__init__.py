"""What borrowed strength does to survey figures, and whether its intervals hold: docs/studies/modelled.md."""
