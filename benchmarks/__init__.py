"""What is claimed about speed, one command each: python -m benchmarks.NAME."""
