"""The emulated AWS account for laptops and tests; never deployed."""
