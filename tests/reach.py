"""Places to run programs from that are not the build's own: for other users (the build may lie where nobody else can look,
below root's home, say), and away from the project. A directory for temporary files may be one from which nothing is run."""
import os
import shutil
import stat
import tempfile
from pathlib import Path


PLACES = ("/tmp", "/var/tmp", "/dev/shm", "/run", os.path.expanduser("~"), "/")


def runs(directory):
    """May programs be written to the directory, and run there?"""
    try:
        return os.access(directory, os.W_OK) and not os.statvfs(directory).f_flag & os.ST_NOEXEC
    except OSError:
        return False


def elsewhere():
    """A directory for temporary files outside of the build that programs can be run from."""
    return next((p for p in PLACES if runs(p)), None)


def open_to_all(directory):
    """May every user go into the directory?"""
    path = Path(directory).resolve()
    return all(p.stat().st_mode & stat.S_IXOTH for p in (path, *path.parents))


class Copies:
    """copies.of(program): a copy that every user can run; it goes with `copies`. Always a copy, so that the tests do the
    same wherever the build lies. None if this machine has no place for one."""

    def __init__(self):
        self.directory = None
        for place in PLACES:
            if runs(place) and open_to_all(place):
                self.directory = tempfile.TemporaryDirectory(prefix="boot-reach-", dir=place)
                os.chmod(self.directory.name, 0o755)  # whatever the umask is
                break

    def of(self, program):
        if self.directory is None:
            return None
        copy = os.path.join(self.directory.name, os.path.basename(program))
        if not os.path.exists(copy):
            shutil.copy(program, copy + ".new")
            os.chmod(copy + ".new", 0o755)
            os.rename(copy + ".new", copy)
        return copy
