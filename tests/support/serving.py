"""Servers in this process."""

import contextlib
import threading


@contextlib.contextmanager
def serving(server):
    """Has a server serve in a thread of its own."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
