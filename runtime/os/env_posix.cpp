// Arguments, environment, and GODEBUG (Go's runtime1.go and env_posix.go).
//
// Owns: argc, argv, envp, the slices that goargs and goenvs make of them, and the debug variables.
//
// Invariants
//   - A program that runs with more rights than who has started it (AT_SECURE) takes no order from the environment: no
//     file is named there, no diagnosis switched on. The program itself may read it, by os::Getenv and getenv.
//   - Nothing is copied. The kernel's vectors stay where they are, above the first thread's stack, for the life of the
//     process; a value is a pointer into them.
#include <string_view>

#include "runtime/base/bootstep.h"
#include "runtime/os/envvars.h"

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

const char* gogetenv(const char* key) { return secureMode ? nullptr : environValue(key); }

const char* environValue(const char* key) {
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

char exectraceName[1024];

std::string_view godebug() {
  const char* env = gogetenv("GODEBUG");
  return env != nullptr ? env : "";
}

}  // namespace

const char* godebugValue(const char* key, std::size_t* n) {
  std::string_view k(key), found;
  eachGODEBUG(godebug(), [&](std::string_view name, std::string_view value) {
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

  eachGODEBUG(godebug(), [](std::string_view key, std::string_view value) {
    if (key == "exectrace" && !value.empty() && value.size() < sizeof exectraceName) {
      value.copy(exectraceName, value.size());  // zero-terminated: the rest of GODEBUG follows it in the environment
      exectraceName[value.size()] = '\0';
      debug.exectrace = exectraceName;
    }
    setDebugVar(&debug, key, value);
  });
  BOOTSTEP("runtime.parsedebugvars", "schedtrace,gctrace,boottrace", debug.schedtrace, debug.gctrace, debug.boottrace);
  if (debug.boottrace > 0) {
    // Until initsig a signal does what it does by itself; a reader that has seen enough ends no program by it.
    constexpr std::uint32_t kSigpipe = 13;
    ksigaction ignore{reinterpret_cast<void*>(1), 0, nullptr, 0};
    sigaction(kSigpipe, &ignore, nullptr);
    bootflush();
    boottrace = true;
    bootflush();  // what another thread recorded in between
  }
}

}  // namespace runtime
