"""One module a kind of page: from facts to what its template shows."""
