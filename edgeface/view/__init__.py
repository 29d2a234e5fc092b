"""The reference kiosk page: a process of its own that reads shared memory and feeds a browser."""
