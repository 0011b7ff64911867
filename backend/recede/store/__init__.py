"""Everything that touches the database: SQLAlchemy only, no web and no torch."""
