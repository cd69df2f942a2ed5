// The control group's CPU limit (cgroup_linux.h).
//
//   /proc/self/cgroup names the group:   0::/a/b             version 2: one tree for all controllers
//                                        4:cpu,cpuacct:/a/b  version 1: the line that has "cpu"
//   version 2   /sys/fs/cgroup/a/b/cpu.max                  "200000 100000": quota and period, or "max 100000"
//   version 1   /sys/fs/cgroup/cpu/a/b/cpu.cfs_quota_us     -1 is no limit; cpu.cfs_period_us beside it
//
// A parent's limit binds too, so each level up to the root is asked. In a container the path is often that of the host,
// which is not to be found under this /sys: the levels that are missing are skipped, and the root is the container's.
//
// Invariant: at most kMaxOpens files are opened, the start of a small program counts them. A group deeper than that is
// asked at its own levels first, since limits are set there.
// Way not taken: /proc/self/mountinfo, to find trees mounted elsewhere. It is long, and /sys/fs/cgroup is where every
// system puts them.
#pragma GCC optimize("Os")  // runs once, or in a crash
#include "runtime/os/cgroup_linux.h"

#include <string_view>

#include "runtime/base/atoi.h"

namespace runtime {

namespace {

constexpr int kMaxOpens = 6;
constexpr std::int32_t kNoLimit = 0;

struct reader {
  fileReader rd;
  int left = kMaxOpens;
  long operator()(const char* path, char* buf, std::size_t n) {
    if (left == 0) return -1;
    left--;
    return rd(path, buf, n);
  }
};

std::int32_t ceilDiv(std::int64_t quota, std::int64_t period) {
  std::int64_t n = quota / period + (quota % period != 0);
  if (n < 1) n = 1;
  return n > INT32_MAX ? INT32_MAX : static_cast<std::int32_t>(n);
}

std::int32_t tighter(std::int32_t a, std::int32_t b) {
  if (a == kNoLimit) return b;
  if (b == kNoLimit) return a;
  return a < b ? a : b;
}

// The one line of a file; what stands behind it is not believed to be there.
std::string_view lineOf(std::string_view s) { return s.substr(0, s.find('\n')); }

// "QUOTA PERIOD" or "max PERIOD".
std::int32_t parseCpuMax(std::string_view s) {
  s = lineOf(s);
  std::size_t space = s.find(' ');
  std::int64_t quota, period;
  if (space == s.npos || !atoi(s.substr(0, space), &quota) || !atoi(s.substr(space + 1), &period)) return kNoLimit;
  return quota < 0 || period <= 0 ? kNoLimit : ceilDiv(quota, period);
}

// Is `name` one of the comma-separated controllers?
bool hasController(std::string_view list, std::string_view name) {
  while (!list.empty()) {
    std::size_t c = list.find(',');
    if (list.substr(0, c) == name) return true;
    if (c == list.npos) break;
    list.remove_prefix(c + 1);
  }
  return false;
}

struct groups {
  std::string_view v1, v2;  // paths, starting with '/'; empty: no such hierarchy
};

// As Go's parseCPUCgroup: of version 1 the first line that has "cpu", else of version 2 the last; a line that is none
// spoils all, and so does one without its end: the first half of a path is another group's.
groups parseSelf(std::string_view s) {
  groups g;
  while (!s.empty()) {
    std::size_t nl = s.find('\n');
    if (nl == s.npos) return {};
    std::string_view line = s.substr(0, nl);
    s.remove_prefix(nl + 1);
    std::size_t a = line.find(':');
    std::size_t b = a == line.npos ? a : line.find(':', a + 1);
    if (b == line.npos || b + 1 == line.size() || line[b + 1] != '/') return {};
    if (line.substr(0, a) == "0") {
      g.v2 = line.substr(b + 1);
    } else if (hasController(line.substr(a + 1, b - a - 1), "cpu")) {
      g.v1 = line.substr(b + 1);
      break;
    }
  }
  return g;
}

// A path made of three parts; empty if it would be too long, and then no file has that name.
struct path {
  char text[1024];

  path(std::string_view mount, std::string_view group, std::string_view file) {
    std::size_t n = 0;
    if (mount.size() + group.size() + file.size() < sizeof text)
      for (std::string_view part : {mount, group, file}) n += part.copy(text + n, part.size());
    text[n] = '\0';
  }
};

// Calls ask(path) for the group, its parent, ... and the root.
template <class F>
void eachLevel(std::string_view group, F ask) {
  while (group.size() > 1 && group.back() == '/') group.remove_suffix(1);
  if (group == "/") group = {};
  while (ask(group) && !group.empty()) group = group.substr(0, group.rfind('/'));
}

// The numbers in one file, or nothing. A file that fills the buffer may be cut in the middle of one.
template <class F>
void withFile(reader& rd, const path& p, F f) {
  char buf[64];
  long n = rd(p.text, buf, sizeof buf);
  if (n > 0 && n < static_cast<long>(sizeof buf - 1)) f(std::string_view(buf, static_cast<std::size_t>(n)));
}

std::int32_t limitV2(reader& rd, std::string_view group) {
  std::int32_t limit = kNoLimit;
  eachLevel(group, [&](std::string_view g) {
    withFile(rd, {"/sys/fs/cgroup", g, "/cpu.max"},
             [&](std::string_view s) { limit = tighter(limit, parseCpuMax(s)); });
    return rd.left > 0;
  });
  return limit;
}

std::int32_t limitV1(reader& rd, std::string_view group) {
  std::int32_t limit = kNoLimit;
  eachLevel(group, [&](std::string_view g) {
    std::int64_t quota = 0, period = 0;
    withFile(rd, {"/sys/fs/cgroup/cpu", g, "/cpu.cfs_quota_us"}, [&](std::string_view s) {
      if (!atoi(lineOf(s), &quota) || quota < 0) return;  // -1: no limit here
      withFile(rd, {"/sys/fs/cgroup/cpu", g, "/cpu.cfs_period_us"},
               [&](std::string_view t) { atoi(lineOf(t), &period); });
    });
    if (period > 0) limit = tighter(limit, ceilDiv(quota, period));
    return rd.left > 0;
  });
  return limit;
}

}  // namespace

std::int32_t cgroupCPULimit(fileReader fn) {
  reader rd{fn};
  char self[4096];
  long n = rd("/proc/self/cgroup", self, sizeof self);
  if (n <= 0) return kNoLimit;
  groups g = parseSelf({self, static_cast<std::size_t>(n)});
  // With both versions mounted the cpu controller is in one of them only; where it is in version 1 its line says so.
  if (!g.v1.empty()) return limitV1(rd, g.v1);
  if (!g.v2.empty()) return limitV2(rd, g.v2);
  return kNoLimit;
}

}  // namespace runtime
