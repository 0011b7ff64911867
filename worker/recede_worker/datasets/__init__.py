"""Image data sets, one file each: every `PLUGINS` tuple in here is found by the registry."""
