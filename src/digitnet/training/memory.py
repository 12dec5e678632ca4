"""Memory of the process: let glibc keep what is freed, and measure the peak."""

import ctypes
import platform
import sys

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3  # M_TRIM_THRESHOLD and so on in malloc.h
_LARGEST_BLOCK = 32 << 20  # bytes; the most that glibc takes from its heap
_GROWTH = 64 << 20  # bytes by which the heap grows; not resident until they are written to


def keep_freed_memory() -> None:
    """Let glibc keep freed memory for the next step, until the process ends; does nothing without glibc.

    Each step allocates the same tensors. By default glibc returns the large ones to the system, which hands them
    out again as pages of zeros: some 4,500 page faults per step of the blog's network, 2 to 4 microseconds each on
    a virtual machine. PyTorch's performance tuning guide uses another allocator for this ("Switch memory
    allocator"); glibc's own thresholds do it without one.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    library = ctypes.CDLL(None)
    library.mallopt(_MMAP_THRESHOLD, _LARGEST_BLOCK)
    library.mallopt(_TRIM_THRESHOLD, 2**31 - 1)
    library.mallopt(_TOP_PAD, _GROWTH)


def peak_memory() -> int | None:
    """Peak resident memory of this process in bytes; None on Windows."""
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # Linux counts in KiB
