"""$getg(), $getm(), $getp(): the running g, M and P of the selected thread, as typed pointers where there is debug
information and as numbers where there is none."""
import gdb

from gdbext import state


def typed(name, addr):
    for spelled in ("runtime::" + name, name):
        try:
            return gdb.Value(addr).cast(gdb.lookup_type(spelled).pointer())
        except gdb.error:
            continue
    return gdb.Value(addr)


class _Get(gdb.Function):
    def __init__(self, name, type_, read, what):
        self.__doc__ = what
        super().__init__(name)
        self.type, self.read = type_, read

    def invoke(self, *args):
        if args:
            raise gdb.GdbError("it takes no argument: it is about the selected thread")
        state.need_process()
        return typed(self.type, self.read())


_Get("getg", "g", state.getg, "The g that runs on the selected thread; null before TLS is set up.")
_Get("getm", "m", state.getm, "The M that the selected thread is; null before it is bound to its g0.")
_Get("getp", "p", state.getp, "The P that the selected thread's M holds; null when it holds none.")
