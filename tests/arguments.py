"""What CMake tells every script that is a test (CMakeLists.txt): where the project, its build and its programs are."""
import argparse
from pathlib import Path


def read():
    parser = argparse.ArgumentParser()
    for name in ("--root", "--build", "--bin"):
        parser.add_argument(name, type=Path, required=True)
    return parser.parse_args()
