// The CPU limit of a control group, on made-up file trees: versions 1 and 2, containers, nested limits, nonsense.
// SOURCES: runtime/os/cgroup_linux.cpp runtime/base/atoi.cpp
#include <algorithm>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "runtime/os/cgroup_linux.h"
#include "tests/unit/catch.h"

namespace {

std::map<std::string, std::string> tree;
std::vector<std::string> opened;

long readTree(const char* path, char* buf, std::size_t n) {
  constexpr long kENOENT = 2;
  opened.push_back(path);
  auto f = tree.find(path);
  if (f == tree.end()) return -kENOENT;
  std::size_t len = std::min(n - 1, f->second.size());
  std::memcpy(buf, f->second.data(), len);
  buf[len] = '\0';
  return static_cast<long>(len);
}

std::int32_t limit(std::map<std::string, std::string> files) {
  tree = std::move(files);
  opened.clear();
  std::int32_t n = runtime::cgroupCPULimit(readTree);
  CHECK(opened.size() <= 6);
  return n;
}

const std::string kSelf = "/proc/self/cgroup", kRoot = "/sys/fs/cgroup";

std::int32_t limitMax(const char* cpuMax) { return limit({{kSelf, "0::/a\n"}, {kRoot + "/a/cpu.max", cpuMax}}); }
std::int32_t limitQuota(const char* quota, const char* period) {
  return limit({{kSelf, "5:memory:/m\n4:cpu,cpuacct:/a\n0::/a\n"},
                {kRoot + "/cpu/a/cpu.cfs_quota_us", quota},
                {kRoot + "/cpu/a/cpu.cfs_period_us", period}});
}

}  // namespace

TEST_CASE("no control groups, or none with a limit", "[cgroup][C28]") {
  CHECK(limit({}) == 0);
  CHECK(limit({{kSelf, ""}}) == 0);
  CHECK(limit({{kSelf, "0::/\n"}}) == 0);
  CHECK(limitMax("max 100000\n") == 0);
  CHECK(limitQuota("-1\n", "100000\n") == 0);
}

TEST_CASE("the quota in CPUs is rounded up and at least one", "[cgroup][C28]") {
  CHECK(limitMax("200000 100000\n") == 2);
  CHECK(limitMax("200001 100000\n") == 3);
  CHECK(limitMax("250000 100000\n") == 3);
  CHECK(limitMax("1000 100000\n") == 1);
  CHECK(limitMax("0 100000\n") == 1);
  CHECK(limitMax("50000 10000") == 5);
  CHECK(limitQuota("150000\n", "100000\n") == 2);
  CHECK(limitQuota("10000\n", "100000\n") == 1);
}

TEST_CASE("a parent's tighter limit binds, a looser one does not", "[cgroup][C28]") {
  CHECK(limit({{kSelf, "0::/a/b/c\n"},
               {kRoot + "/a/b/c/cpu.max", "800000 100000\n"},
               {kRoot + "/a/b/cpu.max", "max 100000\n"},
               {kRoot + "/a/cpu.max", "300000 100000\n"}}) == 3);
  CHECK(limit({{kSelf, "0::/a/b\n"},
               {kRoot + "/a/b/cpu.max", "200000 100000\n"},
               {kRoot + "/a/cpu.max", "900000 100000\n"}}) == 2);
  CHECK(limit({{kSelf, "3:cpu:/a/b\n"},
               {kRoot + "/cpu/a/b/cpu.cfs_quota_us", "-1\n"},
               {kRoot + "/cpu/a/cpu.cfs_quota_us", "400000\n"},
               {kRoot + "/cpu/a/cpu.cfs_period_us", "100000\n"}}) == 4);
}

TEST_CASE("in a container the host's path is missing and the root is the container's", "[cgroup][C28]") {
  CHECK(limit({{kSelf, "0::/docker/0123\n"}, {kRoot + "/cpu.max", "100000 50000\n"}}) == 2);
  CHECK(limit({{kSelf, "7:cpuacct,cpu:/docker/0123\n"},
               {kRoot + "/cpu/cpu.cfs_quota_us", "300000\n"},
               {kRoot + "/cpu/cpu.cfs_period_us", "100000\n"}}) == 3);
  CHECK(limit({{kSelf, "0::/\n"}, {kRoot + "/cpu.max", "100000 100000\n"}}) == 1);
}

TEST_CASE("the cpu controller is found by its whole name", "[cgroup][C28]") {
  CHECK(limit({{kSelf, "3:cpuset:/x\n2:cpuacct:/y\n"},
               {kRoot + "/cpu/x/cpu.cfs_quota_us", "100000\n"},
               {kRoot + "/cpu/x/cpu.cfs_period_us", "100000\n"},
               {kRoot + "/cpu/y/cpu.cfs_quota_us", "100000\n"},
               {kRoot + "/cpu/y/cpu.cfs_period_us", "100000\n"}}) == 0);
  // A path may contain colons.
  CHECK(limit({{kSelf, "0::/a:b\n"}, {kRoot + "/a:b/cpu.max", "500000 100000\n"}}) == 5);
}

TEST_CASE("nonsense is no limit", "[cgroup][C28]") {
  for (const char* text : {"", "\n", "x", "100000", "100000 ", "100000 0\n", "100000 x\n", "-5 100000\n",
                           "99999999999999999999999 100000\n"}) {
    CAPTURE(text);
    CHECK(limitMax(text) == 0);
  }
  CHECK(limitQuota("100000\n", "0\n") == 0);
  CHECK(limitQuota("100000\n", "") == 0);
  for (const char* self : {"0", "0:", "0::", "0::a\n", ":::::\n\n\n", "x:y:z\n"}) {
    CAPTURE(self);
    CHECK(limit({{kSelf, self}, {kRoot + "/cpu.max", "100000 100000\n"}}) == 0);
  }
}

TEST_CASE("deep and long paths stay within six files and a path's length", "[cgroup][C28]") {
  std::string deep;
  for (int i = 0; i < 40; i++) deep += "/g" + std::to_string(i);
  // The nearest levels are the ones asked.
  CHECK(limit({{kSelf, "0::" + deep + "\n"}, {kRoot + deep + "/cpu.max", "200000 100000\n"}}) == 2);
  CHECK(opened.size() == 6);
  CHECK(opened[1] == kRoot + deep + "/cpu.max");
  std::string longName = "/" + std::string(1500, 'x');
  CHECK(limit({{kSelf, "0::" + longName + "\n"}, {kRoot + "/cpu.max", "200000 100000\n"}}) == 2);
}

TEST_CASE("what was cut off in the middle is not taken for something whole", "[cgroup]") {
  // 4,095 bytes of it are read: the path ends early, and begins as another group's does.
  std::string part = "/" + std::string(2000, 'x') + "/" + std::string(2087, 'y');
  REQUIRE(("0::" + part).size() == 4092);
  CHECK(limit({{kSelf, "0::" + part + "zzzz\n"}, {kRoot + "/cpu.max", "200000 100000\n"}}) == 0);
  // A line that is whole counts, whatever comes behind it.
  CHECK(limit({{kSelf, "3:cpu:/a\n0::" + part + "zzzz\n"},
               {kRoot + "/cpu/a/cpu.cfs_quota_us", "200000\n"},
               {kRoot + "/cpu/a/cpu.cfs_period_us", "100000\n"}}) == 2);
  CHECK(limitMax(("200000 " + std::string(40, '0') + "100000\n").c_str()) == 2);
  CHECK(limitMax(("200000 " + std::string(60, '0') + "100000\n").c_str()) == 0);
  CHECK(limitMax("200000 100000x\n") == 0);
  CHECK(limitQuota("200000x\n", "100000\n") == 0);
}
