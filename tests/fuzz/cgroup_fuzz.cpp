// The control group's files: the input's texts, ended by zeros, are /proc/self/cgroup and what the files opened after it
// hold, one after the other. Held against a reading with strings and without bounds.
// SOURCES: runtime/os/cgroup_linux.cpp runtime/base/atoi.cpp
#include <algorithm>
#include <vector>

#include "runtime/os/cgroup_linux.h"
#include "tests/fuzz/fuzz.h"

namespace {

std::vector<std::string> texts, paths;

long readNext(const char* path, char* buf, std::size_t n) {
  paths.push_back(path);
  std::size_t k = paths.size() - 1;
  if (k >= texts.size() || texts[k] == "-") return -2;  // ENOENT
  std::size_t len = std::min(n - 1, texts[k].size());
  std::memcpy(buf, texts[k].data(), len);
  buf[len] = '\0';
  return static_cast<long>(len);
}

// The k-th file as a reader with n bytes sees it.
std::string seen(std::size_t k, std::size_t n) {
  if (k >= texts.size() || texts[k] == "-") return "";
  return texts[k].substr(0, n - 1);
}

long number(const std::string& s) {  // -1: none, or negative
  std::string digits = s.substr(!s.empty() && (s[0] == '-' || s[0] == '+'));
  if (digits.empty() || digits.find_first_not_of("0123456789") != digits.npos) return -1;
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size() - 1));
  if (digits.size() > 19 || (digits.size() == 19 && digits > "9223372036854775807")) return -1;
  long v = std::stol(digits);
  return s[0] == '-' && v != 0 ? -1 : v;
}
std::string line(const std::string& s) { return s.substr(0, s.find('\n')); }

struct limit {
  long cpus = 0;
  void add(long quota, long period) {
    if (quota < 0 || period <= 0) return;
    long n = std::clamp(quota / period + (quota % period != 0), 1L, 2147483647L);
    cpus = cpus == 0 ? n : std::min(cpus, n);
  }
};

long reference(std::vector<std::string>* opened) {
  opened->push_back("/proc/self/cgroup");
  std::string self = seen(0, 4096), v1, v2;
  while (!self.empty() && v1.empty()) {
    std::size_t nl = self.find('\n');
    if (nl == self.npos) return 0;
    std::string l = self.substr(0, nl);
    std::size_t a = l.find(':'), b = a == l.npos ? a : l.find(':', a + 1);
    if (b == l.npos || l.substr(b + 1, 1) != "/") return 0;
    std::string list = "," + l.substr(a + 1, b - a - 1) + ",";
    if (l.substr(0, a) == "0")
      v2 = l.substr(b + 1);
    else if (list.find(",cpu,") != list.npos)
      v1 = l.substr(b + 1);
    self.erase(0, nl + 1);
  }
  std::string group = v1.empty() ? v2 : v1;
  if (group.empty()) return 0;
  while (group.size() > 1 && group.back() == '/') group.pop_back();
  if (group == "/") group = "";
  limit all;
  auto read = [&](const std::string& mount, const std::string& file) {
    std::string path = mount + group + file;
    if (path.size() >= 1024) path = "";
    std::string s = opened->size() < 6 ? seen(opened->size(), 64) : "";
    if (opened->size() < 6) opened->push_back(path);
    return s.size() == 63 ? "" : s;
  };
  for (;;) {
    if (v1.empty()) {
      std::string s = line(read("/sys/fs/cgroup", "/cpu.max"));
      std::size_t space = s.find(' ');
      if (space != s.npos) all.add(number(s.substr(0, space)), number(s.substr(space + 1)));
    } else {
      std::string q = read("/sys/fs/cgroup/cpu", "/cpu.cfs_quota_us");
      if (!q.empty() && number(line(q)) >= 0)
        all.add(number(line(q)), number(line(read("/sys/fs/cgroup/cpu", "/cpu.cfs_period_us"))));
    }
    if (group.empty() || opened->size() == 6) return all.cpus;
    group.erase(group.rfind('/'));
  }
}

}  // namespace

FUZZ(cgroup) {
  texts.clear();
  paths.clear();
  while (in.n > 0) texts.push_back(in.text());
  std::int32_t got = runtime::cgroupCPULimit(readNext);
  std::vector<std::string> opened;
  FUZZ_RULE(got == reference(&opened));
  FUZZ_RULE(paths == opened);
}
