"""The worked cases of the spec, as data that any implementation can run."""
