"""The study behind the errors: each estimate, its fit and how it did in back-tests and simulations."""
