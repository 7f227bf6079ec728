"""Small filesystems for tests that fill one up; they vanish with the test's namespace."""

import contextlib
import ctypes
import os

MNT_DETACH = 2


@contextlib.contextmanager
def small(folder, size):
    """An empty filesystem of `size` ("64k") is mounted at `folder`. Wants a world whose sites can be
    cut apart: that one has mounts of its own."""
    libc = ctypes.CDLL(None, use_errno=True)
    options = f"size={size},mode=0700".encode()
    if libc.mount(b"none", os.fsencode(folder), b"tmpfs", 0, options) != 0:
        raise OSError(ctypes.get_errno(), f"no small filesystem at {folder}")
    try:
        yield
    finally:
        libc.umount2(os.fsencode(folder), MNT_DETACH)
