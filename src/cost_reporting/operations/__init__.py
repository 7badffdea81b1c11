"""What the system does, one verb per file. Each takes what it works with as arguments and returns the next fact."""
