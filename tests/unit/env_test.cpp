// The environment's variables and the control group's files against what Go 1.27 makes of the same texts: each line of
// fuzz/oracle/env.txt is a kind, a text, and Go's answer.
// SOURCES: runtime/os/envvars.cpp runtime/base/atoi.cpp runtime/os/cgroup_linux.cpp
#include <algorithm>
#include <cstring>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "runtime/os/cgroup_linux.h"
#include "runtime/os/envvars.h"
#include "tests/unit/catch.h"

using namespace runtime;

namespace {

struct entry {
  std::string text, answer;
};

// The lines of one kind.
std::vector<entry> asked(const std::string& kind) {
  std::string here(__FILE__);
  std::ifstream in(here.substr(0, here.rfind("/unit/")) + "/fuzz/oracle/env.txt");
  std::vector<entry> out;
  for (std::string line; std::getline(in, line);) {
    std::size_t a = line.find(' '), b = line.find(' ', a + 1);
    if (line[0] == '#' || line.substr(0, a) != kind) continue;
    std::string text;
    for (std::size_t i = a + 2; i < b; i++) {
      if (line[i] == '%') {
        text += static_cast<char>(std::stoi(line.substr(i + 1, 2), nullptr, 16));
        i += 2;
      } else {
        text += line[i];
      }
    }
    out.push_back({text, line.substr(b + 1)});
  }
  return out;
}

template <class F>
void compare(const std::string& kind, F ours) {
  auto lines = asked(kind);
  REQUIRE(lines.size() >= 100);
  for (const entry& e : lines) {
    std::string got = ours(e.text);
    if (got == e.answer) continue;
    CAPTURE(kind, e.text, e.answer);
    CHECK(got == e.answer);
  }
}

std::string joined(const std::set<std::string>& s) {
  std::string out;
  for (const std::string& x : s) out += (out.empty() ? "" : ",") + x;
  return out.empty() ? "-" : out;
}
std::string sorted(const std::string& list) {
  std::set<std::string> s;
  for (std::size_t i = 0; i <= list.size();) {
    std::size_t c = std::min(list.find(',', i), list.size());
    s.insert(list.substr(i, c - i));
    i = c + 1;
  }
  return joined(s);
}

std::map<std::string, std::string> files;
long readFiles(const char* path, char* buf, std::size_t n) {
  auto f = files.find(path);
  if (f == files.end()) return -2;
  std::size_t len = std::min(n - 1, f->second.size());
  std::memcpy(buf, f->second.data(), len);
  buf[len] = '\0';
  return static_cast<long>(len);
}

}  // namespace

TEST_CASE("GOMAXPROCS, GOGC, GOMEMLIMIT and GOTRACEBACK are Go's", "[env]") {
  compare("GOMAXPROCS", [](const std::string& s) { return std::to_string(parseGOMAXPROCS(s.c_str())); });
  compare("GOGC", [](const std::string& s) { return std::to_string(parseGOGC(s.c_str())); });
  compare("GOMEMLIMIT", [](const std::string& s) {
    std::int64_t n;
    if (!parseGOMEMLIMIT(s.c_str(), &n)) return std::string("malformed");
    return s.empty() || s == "off" ? std::string(n == INT64_MAX ? "none" : "?") : std::to_string(n);
  });
  compare("GOTRACEBACK", [](const std::string& s) { return std::to_string(parseGOTRACEBACK(s.c_str())); });
}

TEST_CASE("a variable that is not set", "[env]") {
  std::int64_t n = 0;
  CHECK(parseGOMAXPROCS(nullptr) == 0);
  CHECK(parseGOGC(nullptr) == 100);
  CHECK((parseGOMEMLIMIT(nullptr, &n) && n == INT64_MAX));
  CHECK(parseGOTRACEBACK(nullptr) == 1u << kTracebackShift);
}

TEST_CASE("GODEBUG's fields are Go's", "[env]") {
  static constexpr std::pair<const char*, std::int32_t debugvars::*> both[] = {
      {"asyncpreemptoff", &debugvars::asyncpreemptoff},
      {"clobberfree", &debugvars::clobberfree},
      {"dontfreezetheworld", &debugvars::dontfreezetheworld},
      {"gccheckmark", &debugvars::gccheckmark},
      {"gcstoptheworld", &debugvars::gcstoptheworld},
      {"gctrace", &debugvars::gctrace},
      {"inittrace", &debugvars::inittrace},
      {"invalidptr", &debugvars::invalidptr},
      {"madvdontneed", &debugvars::madvdontneed},
      {"scavtrace", &debugvars::scavtrace},
      {"scheddetail", &debugvars::scheddetail},
      {"schedtrace", &debugvars::schedtrace},
      {"tracebackancestors", &debugvars::tracebackancestors},
  };
  compare("GODEBUG", [](const std::string& s) {
    constexpr std::int32_t kUnset = -77;
    debugvars d{};
    for (auto& [name, field] : both) d.*field = kUnset;
    eachGODEBUG(s, [&](std::string_view key, std::string_view value) { setDebugVar(&d, key, value); });
    std::set<std::string> out;
    for (auto& [name, field] : both)
      if (d.*field != kUnset) out.insert(name + ("=" + std::to_string(d.*field)));
    return joined(out);
  });
}

TEST_CASE("GODEBUG=cpu.NAME=on|off is Go's, the last word counts", "[env]") {
  for (entry& e : asked("cpu")) {
    cpuOption o[] = {{"avx2", nullptr, false, false}, {"erms", nullptr, false, false}};
    parseCPUOptions(e.text, o, 2, [](cpuComplaint, std::string_view, std::string_view) {});
    std::set<std::string> out;
    for (const cpuOption& x : o)
      if (x.specified) out.insert(std::string(x.name) + (x.enable ? "=on" : "=off"));
    CAPTURE(e.text);
    CHECK(joined(out) == sorted(e.answer));
  }
}

TEST_CASE("the control group's files are read as Go reads them", "[env][cgroup]") {
  std::size_t limits = 0;
  for (const entry& e : asked("cpu.max")) {
    files = {{"/proc/self/cgroup", "0::/\n"}, {"/sys/fs/cgroup/cpu.max", e.text}};
    std::int32_t got = cgroupCPULimit(readFiles);
    CAPTURE(e.text, e.answer);
    std::size_t space = e.text.find(' '), nl = e.text.find('\n');
    if (e.answer == "negative" || e.answer == "none") {
      CHECK(got == 0);
    } else if (e.answer == "malformed") {
      if (nl != e.text.npos) CHECK(got == 0);  // Go wants a newline; the rest is what it is to Go
    } else if (e.text.find_first_not_of("+-0", space + 1) == nl) {
      CHECK(got == 0);  // a period of 0, by which Go divides
    } else {
      limits++;
      CHECK(got == std::max(1, std::stoi(e.answer)));  // less than one CPU is one
    }
  }
  CHECK(limits > 30);
  for (const entry& e : asked("cfs")) {
    files = {{"/proc/self/cgroup", "1:cpu:/\n"},
             {"/sys/fs/cgroup/cpu/cpu.cfs_quota_us", e.text},
             {"/sys/fs/cgroup/cpu/cpu.cfs_period_us", "1\n"}};
    std::int32_t got = cgroupCPULimit(readFiles);
    CAPTURE(e.text, e.answer);
    if (e.answer == "malformed") {
      if (e.text.find('\n') != e.text.npos) CHECK(got == 0);
    } else {
      std::int64_t n = std::stoll(e.answer);
      CHECK(got == (n < 0 ? 0 : std::clamp<std::int64_t>(n, 1, INT32_MAX)));
    }
  }
  for (const entry& e : asked("self")) {
    // Which group is it? The one whose file is asked for first.
    static std::string first;
    first.clear();
    files = {{"/proc/self/cgroup", e.text}};
    cgroupCPULimit([](const char* path, char* buf, std::size_t n) {
      if (first.empty() && std::string(path) != "/proc/self/cgroup") first = path;
      return readFiles(path, buf, n);
    });
    CAPTURE(e.text, e.answer, first);
    if (e.answer == "none" || e.answer == "malformed") {
      CHECK(first.empty());
      continue;
    }
    bool v1 = e.answer[1] == '1';
    std::string before = v1 ? "/sys/fs/cgroup/cpu/" : "/sys/fs/cgroup/", after = v1 ? "/cpu.cfs_quota_us" : "/cpu.max";
    REQUIRE(first.size() > before.size() + after.size() - 2);
    CHECK(first.substr(0, before.size()) == before);
    CHECK(first.substr(first.size() - after.size()) == after);
    std::size_t len =
        first.size() - (before.size() - 1) - after.size();  // Go's has no slash at its end cut off, "/" has
    CHECK(std::max<std::size_t>(len, 1) == static_cast<std::size_t>(std::stoi(e.answer.substr(3))));
  }
}
