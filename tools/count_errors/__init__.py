"""Errors of the two measures of income deprivation within districts, from the small areas they are made of."""
