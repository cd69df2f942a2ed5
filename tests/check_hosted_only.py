#!/usr/bin/env python3
"""What pure mode lacks fails when a program is linked, with one message that says what to do; what it has links.

Each piece of C++ below becomes a program; it is compiled and linked by the very commands that built bin/hello, which ninja
or make tells, so that the flags tested are those that users get.
"""
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import arguments

MESSAGE = "pure mode has no iostreams, locales, regex, files or sockets of C: link this program in hosted mode"

LACKS = {
    "cout": "#include <iostream>\nvoid run() { std::cout << 42; }",
    "static cout": "#include <iostream>\nvoid run() {}\nstruct S { S() { std::cerr << 1.5; } } s;",
    "stringstream": "#include <sstream>\nvoid run() { std::ostringstream s; s << 1; boot::println(\"{}\", s.str()); }",
    "fstream": "#include <fstream>\nvoid run() { std::ifstream f(\"x\"); boot::println(\"{}\", f.is_open()); }",
    "locale": "#include <locale>\nvoid run() { std::locale l(\"\"); boot::println(\"{}\", l.name()); }",
    "regex": "#include <regex>\nvoid run() { std::regex r(\"a+\"); boot::println(\"{}\", std::regex_match(\"aa\", r)); }",
    "iomanip": "#include <iomanip>\n#include <iostream>\nvoid run() { std::cout << std::setw(4) << std::hex << 1; }",
    "filesystem": "#include <filesystem>\nvoid run() { boot::println(\"{}\", std::filesystem::exists(\"/\")); }",
    "fopen": "#include <cstdio>\nvoid run() { boot::println(\"{}\", std::fopen(\"x\", \"r\") != nullptr); }",
    "sscanf": "#include <cstdio>\nvoid run() { int n; boot::println(\"{}\", std::sscanf(\"1\", \"%d\", &n)); }",
    "getaddrinfo": "#include <netdb.h>\nvoid run() { boot::println(\"{}\", getaddrinfo(\"x\", \"1\", nullptr, nullptr)); }",
    "fmt/chrono.h": "#include <fmt/chrono.h>\nvoid run() { boot::println(\"{:%H:%M}\", std::chrono::seconds(90)); }",
}
HAS = {
    "println": "void run() { boot::println(\"{}\", 42); }",
    # Unused code that needs hosted mode is dropped before it can be missed.
    "dead code": "#include <fstream>\nvoid unused() { std::ifstream f(\"x\"); }\nvoid run() {}",
    "printf": "#include <cstdio>\nvoid run() { std::printf(\"%d\", 42); }",
}


def command_lines(build):
    """How bin/hello is compiled and linked, as argument lists."""
    done = subprocess.run(["ninja", "-C", str(build), "-t", "commands", "bin/hello"], capture_output=True, text=True,
                          check=True)
    lines = done.stdout.splitlines()
    compiled = [line for line in lines if "hello.cpp.o -c " in line][-1]
    linked = [line for line in lines if " -o bin/hello " in line][-1]
    linked = linked.removeprefix(": && ").removesuffix(" && :")
    return shlex.split(compiled), shlex.split(linked)


def main():
    args = arguments.read()
    compiler, linker = command_lines(args.build)
    failures = []
    with tempfile.TemporaryDirectory() as tmp:
        for name, code in {**LACKS, **HAS}.items():
            source, obj, out = (str(Path(tmp) / n) for n in ("p.cpp", "p.o", "p"))
            Path(source).write_text("#include <boot/boot.h>\n" + code + "\nvoid main_main() { run(); }\n")
            cc = [source if a.endswith("hello.cpp") else obj if a.endswith("hello.cpp.o") else a for a in compiler]
            ld = [obj if a.endswith("hello.cpp.o") else out if a == "bin/hello" else a for a in linker]
            # Dependency files belong to the build, not to this.
            cc = [a for i, a in enumerate(cc) if a not in ("-MD", "-MT", "-MF", "-Werror")
                  and (i == 0 or cc[i - 1] not in ("-MT", "-MF"))]
            cc.append("-g0")  # nobody debugs these
            done = subprocess.run(cc, capture_output=True, text=True, cwd=args.build, check=False)
            if done.returncode != 0:
                sys.exit(f"{name} does not compile:\n{done.stderr}")
            done = subprocess.run(ld, capture_output=True, text=True, cwd=args.build, check=False)
            undefined = re.findall(r"undefined reference to `(.*)'", done.stderr)
            if name in HAS:
                if done.returncode != 0:
                    failures.append(f"{name} must link: {undefined}")
            elif done.returncode == 0:
                failures.append(f"{name} must not link")
            elif len(undefined) != 1 or not undefined[0].startswith(MESSAGE):
                failures.append(f"{name}: wanted the one message, got {len(undefined)}: {undefined}")
    if failures:
        sys.exit("\n".join(failures))


main()
