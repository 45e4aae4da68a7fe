"""File systems that are soon full, for real."""

import contextlib
import ctypes
import os
import shutil
import subprocess

import pytest

SIZE_MIB = 96
PAGE = 4096


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
def filled(disk):
    """Takes all the room there is, and gives it back. What comes of it takes room that others gave up
    since, as servers do that open or replace their files."""
    file = disk / "filler"
    with open(file, "wb", buffering=0) as filler:

        def take():
            left = room(disk)
            # What others take meanwhile was theirs.
            while left >= PAGE:
                try:
                    os.posix_fallocate(filler.fileno(), os.fstat(filler.fileno()).st_size, left)
                except OSError:
                    left //= 2
                else:
                    left = room(disk)

        take()
        try:
            yield take
        finally:
            file.unlink()


def room(disk):
    return shutil.disk_usage(disk).free
