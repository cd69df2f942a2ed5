#!/usr/bin/env python3
"""Makes env.txt anew: make.py GOROOT, with the sources of Go 1.27 or later under GOROOT/src."""
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
OVER = {"main.go": "cmd/bootoracle/main.go", "over_runtime.go": "runtime/zz_bootoracle.go",
        "over_cpu.go": "internal/cpu/zz_bootoracle.go", "over_cgroup.go": "internal/runtime/cgroup/zz_bootoracle.go"}


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    root = Path(sys.argv[1]).resolve()
    # Packages of the distribution link from GOROOT/src elsewhere; an overlay names the true place.
    replace = {str((root / "src").resolve() / to): str(HERE / name) for name, to in OVER.items()}
    replace |= {str(root / "src" / to): str(HERE / name) for name, to in OVER.items()}
    env = dict(os.environ, GOROOT=str(root), GOTOOLCHAIN="local", GOFLAGS="")
    with tempfile.TemporaryDirectory() as tmp:
        overlay = Path(tmp, "overlay.json")
        overlay.write_text(json.dumps({"Replace": replace}))
        subprocess.run([root / "bin/go", "build", "-overlay", overlay, "-o", f"{tmp}/oracle", "cmd/bootoracle"],
                       cwd=root / "src/cmd", env=env, check=True)
        subprocess.run([f"{tmp}/oracle", HERE / "env.txt"], check=True, stderr=subprocess.DEVNULL)


main()
