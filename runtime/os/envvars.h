// What the environment's variables mean: from a text to a value, and nothing else.
//
// Owns: the syntax of GOMAXPROCS, GOGC, GOMEMLIMIT, GOTRACEBACK and GODEBUG. Who asks for the variable, and what happens
// with the value, is elsewhere (readGOGC in gc, parsedebugvars here in os …); so tests can ask with any text.
//
// Invariant: each text means what it means to Go 1.27.
#pragma once

#include <cstdint>
#include <string_view>

#include "runtime/os/os_linux.h"

namespace runtime {

// A text is null for a variable that is not set.
std::int32_t parseGOMAXPROCS(const char* text);  // 0: as many as there are CPUs
std::int32_t parseGOGC(const char* text);        // -1: off
// Bytes, INT64_MAX for no limit. False for what is no size: the program must not run without the limit it was given.
bool parseGOMEMLIMIT(const char* text, std::int64_t* bytes);
// "512MiB" and the like.
bool parseByteCount(std::string_view s, std::int64_t* out);

// GOTRACEBACK: the level, above two flags.
enum : std::uint32_t { kTracebackCrash = 1, kTracebackAll = 2, kTracebackShift = 2 };
std::uint32_t parseGOTRACEBACK(const char* level);

// ---- GODEBUG=key=value,key=value ----

// Calls f(key, value) for each field that has a '='; the others mean nothing. From left to right: of two values the later
// counts.
template <class F>
void eachGODEBUG(std::string_view s, F f) {
  while (!s.empty()) {
    std::size_t c = s.find(',');
    std::string_view field = s.substr(0, c);
    s.remove_prefix(c == s.npos ? s.size() : c + 1);
    std::size_t eq = field.find('=');
    if (eq != field.npos) f(field.substr(0, eq), field.substr(eq + 1));
  }
}
// Sets the variable of this name. What is no number leaves it as it is.
void setDebugVar(debugvars* d, std::string_view key, std::string_view value);

// "cpu.NAME=on|off" in GODEBUG: what is wanted of each feature, the last word for each name.
struct cpuOption {
  std::string_view name;
  bool* flag;
  bool specified, enable;
};
enum class cpuComplaint { noValue, badValue, unknown };
// complain(what, NAME, VALUE) for what can't be meant.
void parseCPUOptions(std::string_view godebug, cpuOption* options, int n,
                     void (*complain)(cpuComplaint what, std::string_view name, std::string_view value));

}  // namespace runtime
