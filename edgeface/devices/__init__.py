"""Sound devices: PortAudio, the sound server, and what keeps a hanging driver from the daemon."""
