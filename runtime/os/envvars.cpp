// See envvars.h.
#pragma GCC optimize("Os")  // runs once, or in a crash
#include "runtime/os/envvars.h"

#include "runtime/base/atoi.h"

namespace runtime {

std::int32_t parseGOMAXPROCS(const char* text) {
  std::int32_t n;
  return atoi32(text, &n) && n > 0 ? n : 0;
}

std::int32_t parseGOGC(const char* text) {
  if (text != nullptr && std::string_view(text) == "off") return -1;
  std::int32_t n;
  return atoi32(text, &n) ? n : 100;
}

bool parseGOMEMLIMIT(const char* text, std::int64_t* bytes) {
  std::string_view s(text != nullptr ? text : "");
  if (s.empty() || s == "off") {
    *bytes = INT64_MAX;
    return true;
  }
  return parseByteCount(s, bytes);
}

bool parseByteCount(std::string_view s, std::int64_t* out) {
  int shift = 0;
  if (!s.empty() && s.back() == 'B') {
    s.remove_suffix(1);
    if (!s.empty() && s.back() == 'i') {
      if (s.size() < 2) return false;
      std::size_t power = std::string_view("KMGT").find(s[s.size() - 2]);
      if (power == std::string_view::npos) return false;
      shift = 10 * static_cast<int>(power + 1);
      s.remove_suffix(2);
    }
  }
  std::int64_t v;
  if (!atoi(s, &v) || v < 0 || __builtin_mul_overflow(v, std::int64_t{1} << shift, &v)) return false;
  *out = v;
  return true;
}

std::uint32_t parseGOTRACEBACK(const char* level) {
  std::string_view s(level != nullptr ? level : "");
  if (s == "none") return 0;
  if (s == "single" || s.empty()) return 1u << kTracebackShift;
  if (s == "all") return 1u << kTracebackShift | kTracebackAll;
  if (s == "system") return 2u << kTracebackShift | kTracebackAll;
  if (s == "crash") return 2u << kTracebackShift | kTracebackAll | kTracebackCrash;
  std::uint32_t t = kTracebackAll;
  std::int64_t n;
  if (atoi(s, &n) && n == static_cast<std::int64_t>(static_cast<std::uint32_t>(n)))
    t |= static_cast<std::uint32_t>(n) << kTracebackShift;
  return t;
}

namespace {

struct dbgVar {
  std::string_view name;
  std::int32_t debugvars::*value;
};

constexpr dbgVar dbgvars[] = {
    {"asyncpreemptoff", &debugvars::asyncpreemptoff},
    {"boottrace", &debugvars::boottrace},
    {"clobberfree", &debugvars::clobberfree},
    {"deadlockgraph", &debugvars::deadlockgraph},
    {"dontfreezetheworld", &debugvars::dontfreezetheworld},
    {"gccheckmark", &debugvars::gccheckmark},
    {"gcconcurrent", &debugvars::gcconcurrent},
    {"gcstoptheworld", &debugvars::gcstoptheworld},
    {"gctrace", &debugvars::gctrace},
    {"inittrace", &debugvars::inittrace},
    {"invalidptr", &debugvars::invalidptr},
    {"madvdontneed", &debugvars::madvdontneed},
    {"scavtrace", &debugvars::scavtrace},
    {"scheddetail", &debugvars::scheddetail},
    {"schedlog", &debugvars::schedlog},
    {"schedtrace", &debugvars::schedtrace},
    {"tracebackancestors", &debugvars::tracebackancestors},
};

}  // namespace

void setDebugVar(debugvars* d, std::string_view key, std::string_view value) {
  for (const dbgVar& v : dbgvars)
    if (v.name == key) atoi32(value, &(d->*v.value));
}

void parseCPUOptions(std::string_view s, cpuOption* options, int n,
                     void (*complain)(cpuComplaint what, std::string_view name, std::string_view value)) {
  constexpr std::string_view kPrefix = "cpu.";
  while (!s.empty()) {
    std::size_t c = s.find(',');
    std::string_view field = s.substr(0, c);
    s.remove_prefix(c == s.npos ? s.size() : c + 1);
    if (field.substr(0, kPrefix.size()) != kPrefix) continue;
    std::size_t eq = field.find('=');
    if (eq == field.npos) {
      complain(cpuComplaint::noValue, field, {});
      continue;
    }
    std::string_view name = field.substr(kPrefix.size(), eq - kPrefix.size()), value = field.substr(eq + 1);
    if (value != "on" && value != "off") {
      complain(cpuComplaint::badValue, name, value);
      continue;
    }
    bool found = name == "all";
    for (int i = 0; i < n; i++) {
      if (name != "all" && name != options[i].name) continue;
      found = true;
      options[i].specified = true;
      options[i].enable = value == "on";
    }
    if (!found) complain(cpuComplaint::unknown, name, value);
  }
}

}  // namespace runtime
