"""What a test program says about itself: directives in its source, read by run_prog.py and, for names and labels, by CMake.

A directive is a comment line `// NAME: value` (or `# NAME: value`) anywhere in the file:

  CLAIMS: [C34] [C35]     which claims the test proves; they lead the test's name and are its labels
  RUN: sh command         how to run it; %prog is the program, %bin the directory of all programs, %root the project,
                          %tmp a fresh directory, which is also the current one. Default: %prog
  ENV: NAME=value         one more environment variable (the environment is otherwise almost empty)
  PROCS: 1 2 8            run it once with each GOMAXPROCS
  REPEAT: 20              run it so often with each; REPEAT-STRESS: 500 instead under --stress
  TIMEOUT: 20             seconds for one run
  STDIN: text             a line of standard input
  EXIT: 2 | SIGSEGV       exit status, or the signal that ends it. Default: 0
  STDOUT: line            the exact standard output, line by line; or NAME.txt beside the source. Default: none at all
  STDOUT-MATCH: regex     instead: each must be found, in this order
  STDERR: line            the same for standard error
  STDERR-MATCH: regex
  STDERR-NOT: regex       must not be found; STDOUT-NOT likewise
  LABEL: stress           run only under --stress
  HOSTED: also | only     built and run in hosted mode too, or only there
  PIE: also               built and run as a program that is loaded anywhere, too
  SANITIZE: address       compiled with that sanitizer, where there is one; with HOSTED: only. thread: built by the preset
                          hosted-tsan only
  SERIAL: why             not beside other tests: it measures time or fills the machine
"""
import re

LISTS = {"ENV", "STDIN", "STDOUT", "STDERR", "STDOUT-MATCH", "STDERR-MATCH", "STDOUT-NOT", "STDERR-NOT"}
SINGLE = {"CLAIMS", "RUN", "PROCS", "REPEAT", "REPEAT-STRESS", "TIMEOUT", "EXIT", "LABEL", "SERIAL", "HOSTED", "SANITIZE", "PIE"}
DIRECTIVE = re.compile(r"^\s*(?://|#) ?([A-Z]+(?:-[A-Z]+)?):(?: (.*))?$")


class SpecError(Exception):
    pass


def parse(path):
    spec = {name: [] for name in LISTS}
    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            match = DIRECTIVE.match(line.rstrip("\n"))
            if not match:
                continue
            name, value = match.group(1), match.group(2) or ""
            if name in LISTS:
                spec[name].append(value)
            elif name in SINGLE:
                if name in spec:
                    raise SpecError(f"{path}:{number}: {name} a second time")
                spec[name] = value.strip()
            elif name not in ("NOTE",):
                # A misspelt directive would silently check nothing.
                raise SpecError(f"{path}:{number}: unknown directive {name}")
    return spec
