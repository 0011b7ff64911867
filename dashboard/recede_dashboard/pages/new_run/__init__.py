"""The form of a new run: drawn from the catalog, reviewed while typing, submitted."""
