"""What leaves here: the collector's durable memory; the only place with SQLite."""
