"""File systems that are soon full, for real."""

import contextlib
import ctypes
import os
import shutil
import subprocess

import pytest

SIZE_MIB = 96


@contextlib.contextmanager
def small_disk(folder):
    """A small file system of its own below `folder`."""
    path = folder / "disk"
    path.mkdir()
    mounted = ctypes.CDLL(None, use_errno=True).mount(
        b"tmpfs", os.fsencode(path), b"tmpfs", 0, f"size={SIZE_MIB}m".encode()
    )
    if mounted != 0:
        pytest.skip(f"cannot mount a small file system: {os.strerror(ctypes.get_errno())}")
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", path], check=True)


@contextlib.contextmanager
def filled(disk, leave=0):
    """Takes all but `leave` bytes of the room there is, and gives it back."""
    file = disk / "filler"
    with open(file, "wb") as filler:
        left = shutil.disk_usage(disk).free - leave
        # What others take meanwhile was theirs.
        while left > 4096:
            try:
                os.posix_fallocate(filler.fileno(), os.fstat(filler.fileno()).st_size, left)
            except OSError:
                left //= 2
            else:
                left = shutil.disk_usage(disk).free - leave
    try:
        yield
    finally:
        file.unlink()
