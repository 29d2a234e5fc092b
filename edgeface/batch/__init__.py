"""Sound files to files of frames: one, or many on all cores or a cluster."""
