"""Errors of output and household income, from editions of Explore Local Statistics as they were published."""
