"""Reads 'runtime.gdb_offsets' (runtime/diag/gdb_table.h) from a binary by its magic, so from a stripped one too."""
import struct

HEADER = struct.Struct("<8sIIII")
ENTRY = struct.Struct("<40sqQ")


def read(path):
    with open(path, "rb") as f:
        data = f.read()
    at = data.find(b"BOOTOFF\0")
    if at < 0:
        raise ValueError(f"{path} has no table of offsets")
    _, version, count, entsize, _ = HEADER.unpack_from(data, at)
    if version != 1 or entsize < ENTRY.size:
        raise ValueError(f"{path}: unknown table, version {version}, entries of {entsize} bytes")
    table = {}
    for i in range(count):
        name, value, size = ENTRY.unpack_from(data, at + HEADER.size + i * entsize)
        table[name.rstrip(b"\0").decode()] = (value, size)
    return table
