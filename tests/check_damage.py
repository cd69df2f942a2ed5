#!/usr/bin/env python3
"""A damaged program ends with a text, or does what it should: it never hangs and never dies without a word.

What the kernel does not read, but the runtime does, is changed in copies: the headers of thread-locals and of the unwind
table at each of their fields, and bytes of .eh_frame_hdr, .eh_frame and .gopclntab, which a deadlock's report reads.
"""
import os
import random
import re
import struct
import subprocess
import sys
import tempfile

import arguments

PT_TLS, PT_GNU_EH_FRAME = 7, 0x6474E550
FIELDS = {"p_offset": 8, "p_vaddr": 16, "p_filesz": 32, "p_memsz": 40, "p_align": 48}
ODD = (0, 1, 8, 0x1000, 0x7FFFFFFF, 0x400001, 0x7FFFFFFFFFFFF000, 2**64 - 1, 2**64 - 8)
DAMAGED = 400 if os.environ.get("BOOT_STRESS") else 40


def sections(blob):
    """{name: (offset, size)}"""
    shoff, = struct.unpack_from("<Q", blob, 40)
    n, names = struct.unpack_from("<HH", blob, 60)
    heads = [struct.unpack_from("<IIQQQQ", blob, shoff + 64 * i) for i in range(n)]
    text = heads[names][4]
    return {blob[text + h[0]:blob.index(b"\0", text + h[0])].decode(): (h[4], h[5]) for h in heads}


def headers(blob):
    """[(type, offset of the program header)]"""
    phoff, = struct.unpack_from("<Q", blob, 32)
    n, = struct.unpack_from("<H", blob, 56)
    return [(struct.unpack_from("<I", blob, phoff + 56 * i)[0], phoff + 56 * i) for i in range(n)]


def main():
    args = arguments.read()
    bad, kinds = [], {}

    def run(what, blob, right):
        """The text that the damaged program ended with, or "" if it did what it should."""
        path = os.path.join(tmp, "prog")
        with open(path, "wb") as f:
            f.write(blob)
        os.chmod(path, 0o755)
        try:
            p = subprocess.run([path], capture_output=True, timeout=20, env={"GOMAXPROCS": "2"}, stdin=subprocess.DEVNULL)
        except subprocess.TimeoutExpired:
            bad.append(f"{what}: it does not end")
            return
        err = p.stderr.decode(errors="replace")
        told = re.search(r"^fatal error: (.*)$", err, re.M)
        if p.returncode == 2 and told:
            kinds[told.group(1)] = kinds.get(told.group(1), 0) + 1
        elif right(p):
            kinds["as if whole"] = kinds.get("as if whole", 0) + 1
        else:
            bad.append(f"{what}: status {p.returncode}, {err[:300]!r}")
        if "panic during panic" in err or "unexpected signal" in err:
            bad.append(f"{what}: a report that fails: {err[:300]!r}")

    with tempfile.TemporaryDirectory() as tmp:
        with open(os.path.join(args.bin, "hello"), "rb") as f:
            hello = f.read()
        for kind, at in headers(hello):
            if kind not in (PT_TLS, PT_GNU_EH_FRAME):
                continue
            for field, off in FIELDS.items():
                for value in ODD:
                    if (kind, field, value) == (PT_TLS, "p_memsz", 0x7FFFFFFF):
                        continue  # 2 GB of thread-locals for each thread is a wish that is granted, slowly
                    blob = bytearray(hello)
                    struct.pack_into("<Q", blob, at + off, value)
                    run(f"hello, header {kind:#x}, {field} = {value:#x}", blob,
                        lambda p: p.returncode == 0 and p.stdout == b"hello, world\n")
            blob = bytearray(hello)
            struct.pack_into("<I", blob, at, 0)
            run(f"hello without header {kind:#x}", blob, lambda p: p.returncode == 0)
        if not any("eh_frame_hdr" in k for k in kinds):
            bad.append("no damage to the unwind table's header was told")

        with open(os.path.join(args.bin, "deadlock"), "rb") as f:
            deadlock = f.read()
        rnd = random.Random(7)
        for name in (".eh_frame_hdr", ".eh_frame", ".gopclntab"):
            at, size = sections(deadlock)[name]
            for i in range(DAMAGED):
                blob = bytearray(deadlock)
                # All of it, a stretch, or the first words, which say where the rest is.
                lo, hi = (0, size) if i % 4 == 0 else (0, 64) if i % 4 == 1 else (rnd.randrange(size), size)
                for _ in range(rnd.choice((1, 8, 200))):
                    blob[at + rnd.randrange(lo, hi)] = rnd.choice((0, 1, 0x2F, 0x7F, 0x80, 0xFF, rnd.randrange(256)))
                if i % 4 == 3:
                    blob[at + lo:at + hi] = bytes([rnd.choice((0, 0x80, 0xFF))]) * (hi - lo)
                run(f"deadlock, {name}, damage {i}", blob, lambda p: False)
    for told, n in sorted(kinds.items()):
        print(f"{n:5} {told}")
    print("\n".join(bad[:20]))
    if len(bad) > 20:
        print(f"and {len(bad) - 20} more")
    sys.exit(bool(bad))


main()
