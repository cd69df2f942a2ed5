"""The gdb extension: one module a topic; load.py lists them. Everything is read through the table that the program
carries (layout.py), never through debug information of the runtime, so a stripped program and its core will do."""
