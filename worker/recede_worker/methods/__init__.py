"""Methods of regularisation, one file each: every `PLUGINS` tuple in here is found."""
