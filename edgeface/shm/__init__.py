"""The link to renderers: one segment in /dev/shm, ABI 1.1, one writer, any number of readers."""
