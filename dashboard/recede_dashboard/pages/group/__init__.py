"""Parts of the page of a group: its table, its figures, what keeps them fresh."""
