"""One module for each kind of page: it turns facts into the values that its template shows."""
