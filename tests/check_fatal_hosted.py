#!/usr/bin/env python3
"""check_fatal with the programs linked with libc: the same texts, exits and first frames.

SERIAL: runs at limits of the whole machine
"""
import os
import sys
from pathlib import Path

os.execv(sys.executable, [sys.executable, str(Path(__file__).with_name("check_fatal.py")), *sys.argv[1:], "--hosted"])
