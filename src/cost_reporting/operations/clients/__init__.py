"""What operators do with client records. Each verb gets its stores, and an author for what it writes."""
