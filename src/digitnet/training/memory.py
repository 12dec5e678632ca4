"""How much memory the process has held, and that it holds on to what it frees."""

import ctypes
import platform
import sys

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3  # as malloc.h numbers them
_LARGEST_BLOCK = 32 << 20  # bytes; the most that glibc takes from its heap
_GROWTH = 64 << 20  # bytes by which the heap grows; not resident until they are written to


def keep_freed_memory() -> None:
    """Let glibc keep what torch frees for the next step, in this process and until its end; elsewhere nothing.

    Each step allocates the same tensors. By default glibc gives the large ones back to the system, which hands
    them out again page by page, each filled with zeros: some 4,500 pages at every step of the blog's network, 2 to
    4 microseconds each on a virtual machine. PyTorch's performance tuning guide switches to another allocator for
    this ("Switch memory allocator"); glibc's own thresholds do without one.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    library = ctypes.CDLL(None)
    library.mallopt(_MMAP_THRESHOLD, _LARGEST_BLOCK)
    library.mallopt(_TRIM_THRESHOLD, 2**31 - 1)
    library.mallopt(_TOP_PAD, _GROWTH)


def peak_memory() -> int | None:
    """Most memory that this process has held at once, in bytes; None where the system does not tell."""
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # Linux counts in KiB
