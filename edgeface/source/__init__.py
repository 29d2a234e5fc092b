"""Where sound comes from: devices, files and pipes, all as 16 kHz mono blocks."""
