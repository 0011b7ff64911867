"""What the web side and the worker agree on: pure data and arithmetic, no I/O."""
