// Arguments, environment, and GODEBUG (Go's runtime1.go and env_posix.go).
//
// Owns: argc, argv, envp, the slices that goargs and goenvs make of them, and the debug variables.
//
// Invariant: nothing is copied. The kernel's vectors stay where they are, above the first thread's stack, for the life
// of the process; a value is a pointer into them.
#include <string_view>

#include "runtime/base/atoi.h"
#include "runtime/base/bootstep.h"
#include "runtime/os/os_linux.h"

namespace runtime {

constinit std::int32_t argc = 0;
constinit char** argv = nullptr;
constinit char** envp = nullptr;
constinit slice<char*> argslice{};
constinit slice<char*> envs{};
constinit debugvars debug{};

BOOTMARK void args(std::int32_t c, char** v) {
  argc = c;
  argv = v;
  envp = v + c + 1;
  sysargs(c, v);
  bootclock(nanotime);
  BOOTSTEP("runtime.args", "argc,#argv,#envp,vdso_clock", c, v, envp, vdsoClock);
}

BOOTMARK void goargs() {
  argslice = {argv, argc, argc};
  BOOTSTEP("runtime.goargs", "args", argslice.len);
}

BOOTMARK void goenvs_unix() {
  std::int64_t n = 0;
  while (envp[n] != nullptr) n++;
  envs = {envp, n, n};
}

BOOTMARK void goenvs() {
  goenvs_unix();
  BOOTSTEP("runtime.goenvs", "envs", envs.len);
}

const char* gogetenv(const char* key) {
  std::string_view k(key);
  for (char** e = envp; e != nullptr && *e != nullptr; e++) {
    const char* s = *e;
    std::size_t i = 0;
    while (i < k.size() && s[i] == k[i]) i++;
    if (i == k.size() && s[i] == '=') return s + i + 1;
  }
  return nullptr;
}

// ---- GODEBUG=key=value,key=value ----

namespace {

struct dbgVar {
  std::string_view name;
  std::int32_t* value;
};

constexpr dbgVar dbgvars[] = {
    {"asyncpreemptoff", &debug.asyncpreemptoff},
    {"boottrace", &debug.boottrace},
    {"clobberfree", &debug.clobberfree},
    {"deadlockgraph", &debug.deadlockgraph},
    {"dontfreezetheworld", &debug.dontfreezetheworld},
    {"gccheckmark", &debug.gccheckmark},
    {"gcconcurrent", &debug.gcconcurrent},
    {"gcstoptheworld", &debug.gcstoptheworld},
    {"gctrace", &debug.gctrace},
    {"inittrace", &debug.inittrace},
    {"invalidptr", &debug.invalidptr},
    {"madvdontneed", &debug.madvdontneed},
    {"scavtrace", &debug.scavtrace},
    {"scheddetail", &debug.scheddetail},
    {"schedlog", &debug.schedlog},
    {"schedtrace", &debug.schedtrace},
    {"tracebackancestors", &debug.tracebackancestors},
};

char exectraceName[1024];

// Calls f(key, value) for each field that has a '='; the others mean nothing, as in Go.
template <class F>
void eachField(F f) {
  const char* env = gogetenv("GODEBUG");
  std::string_view s = env != nullptr ? env : "";
  while (!s.empty()) {
    std::size_t c = s.find(',');
    std::string_view field = s.substr(0, c);
    s.remove_prefix(c == s.npos ? s.size() : c + 1);
    std::size_t eq = field.find('=');
    if (eq != field.npos) f(field.substr(0, eq), field.substr(eq + 1));
  }
}

}  // namespace

const char* godebugValue(const char* key, std::size_t* n) {
  std::string_view k(key), found;
  eachField([&](std::string_view name, std::string_view value) {
    if (name == k) found = value;
  });
  *n = found.size();
  return found.data();
}

BOOTMARK void parsedebugvars() {
  debug.invalidptr = 1;
  // MADV_DONTNEED gives pages back at once; MADV_FREE is faster but leaves them on the books, and people look there.
  debug.madvdontneed = 1;
  debug.gcconcurrent = 1;

  eachField([](std::string_view key, std::string_view value) {
    if (key == "exectrace" && !value.empty() && value.size() < sizeof exectraceName) {
      value.copy(exectraceName, value.size());  // zero-terminated: the rest of GODEBUG follows it in the environment
      exectraceName[value.size()] = '\0';
      debug.exectrace = exectraceName;
    }
    for (const dbgVar& v : dbgvars)
      if (v.name == key) atoi32(value, v.value);
  });
  BOOTSTEP("runtime.parsedebugvars", "schedtrace,gctrace,boottrace", debug.schedtrace, debug.gctrace, debug.boottrace);
  if (debug.boottrace > 0) {
    bootflush();
    boottrace = true;
    bootflush();  // what another thread recorded in between
  }
}

}  // namespace runtime
