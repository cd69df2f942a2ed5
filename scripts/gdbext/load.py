"""Loads the extension into gdb: `source scripts/gdbext/load.py`, which scripts/gdb and a program's own
.debug_gdb_scripts section do.

Each topic is a module of the package gdbext beside this file. Loading it a second time loads the changed files anew.
"""
import importlib
import os
import sys

import gdb

TOPICS = ("layout", "state", "symbols", "switch", "functions", "goroutines", "threads", "channels", "stackmap",
          "printers", "names", "steps", "draw", "bootcmd", "breakit", "gocall", "waitgraph",
          "corefile")


def load(directory):
    root = os.path.dirname(directory)
    if root not in sys.path:
        sys.path.insert(0, root)
    for name in TOPICS:
        full = "gdbext." + name
        if full in sys.modules:
            importlib.reload(sys.modules[full])
        else:
            importlib.import_module(full)
    # Parked goroutines hang off frames that the debugger would take for the program's first.
    gdb.execute("set backtrace past-main on", to_string=True)
    gdb.execute("set backtrace past-entry on", to_string=True)
    _speak_cxx()


def _speak_cxx(_event=None):
    """Of a program that has a symbol main.main gdb may believe that it is written in Go: gdb 13 if it has no debug
    information, gdb 16 until it runs. It then knows no `unsigned long`, and misspells names."""
    if gdb.parameter("language") == "auto" and "currently go" in gdb.execute("show language", to_string=True):
        try:
            ours = sys.modules["gdbext.layout"].table().find("runtime.bootrecord")
        except gdb.GdbError:
            return
        if ours:
            gdb.execute("set language c++", to_string=True)


if getattr(gdb, "_boot_speak_cxx", None) is not None:
    gdb.events.new_objfile.disconnect(gdb._boot_speak_cxx)
gdb._boot_speak_cxx = _speak_cxx
gdb.events.new_objfile.connect(_speak_cxx)

# Not __file__: a script that sources this one keeps its own.
load(os.path.dirname(os.path.realpath(os.path.expanduser(sys._getframe().f_code.co_filename))))
