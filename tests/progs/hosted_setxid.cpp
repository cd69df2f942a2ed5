// libc changes the user and group of all threads by a signal of its own, and waits until each has had it: no thread of
// ours may have that one blocked, whatever it does. Busy goroutines, ones in the kernel, threads that start and end.
// HOSTED: only
// PROCS: 1 2 8
// TIMEOUT: 120
// STDOUT: the ids were changed and no thread was left out
#include <dirent.h>
#include <grp.h>
#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <set>
#include <string>
#include <thread>

#include "cxx_check.h"

static std::atomic<bool> stop = false;
static bool isRoot;

// The threads whose effective ids are others than these.
static std::set<std::string> others(long uid, long gid) {
  std::set<std::string> list;
  DIR* d = opendir("/proc/self/task");
  CHECK(d != nullptr);
  int threads = 0;
  while (const dirent* e = readdir(d)) {
    if (e->d_name[0] == '.') continue;
    std::ifstream in(std::string("/proc/self/task/") + e->d_name + "/status");
    std::string line;
    long real, id;
    while (std::getline(in, line)) {
      bool user = sscanf(line.c_str(), "Uid: %ld %ld", &real, &id) == 2;
      if (!user && sscanf(line.c_str(), "Gid: %ld %ld", &real, &id) != 2) continue;
      if (id != (user ? uid : gid)) list.insert(e->d_name);
    }
    threads++;
  }
  closedir(d);
  CHECK(threads > 1);
  return list;
}

// All threads have these. libc leaves out one that is just ending, which is gone at some later look.
static void allHave(long uid, long gid) {
  std::set<std::string> left = others(uid, gid);
  while (!left.empty()) {
    runtime::Gosched();
    std::set<std::string> now = others(uid, gid), both;
    for (const auto& t : left)
      if (now.count(t) != 0) both.insert(t);
    left = both;
  }
}

static void busy() {
  for (volatile int i = 0; !stop;) i = i + 1;
}
// A goroutine that ends locked takes its thread along, and another one is made.
static void threadsCome() {
  while (!stop) {
    auto done = boot::make_chan<int>();
    boot::go([=] {
      runtime::LockOSThread();
      done.send(1);
    });
    done.recv();
  }
}
static void libcThreads() {
  while (!stop) std::thread([] {}).join();
}

void main_main() {
  isRoot = geteuid() == 0;
  int rounds = boot::os::Args().size() > 1 ? 200 : 20;
  int fds[2];
  CHECK(pipe(fds) == 0);
  for (int i = 0; i < 2; i++) boot::go(busy);
  for (int i = 0; i < 2; i++) boot::go(threadsCome);
  boot::go(libcThreads);
  for (int i = 0; i < 3; i++)
    boot::go([=] {
      char c;
      boot::blocking([&] { return read(fds[0], &c, 1); });
    });
  for (int i = 0; i < rounds; i++) {
    gid_t gid = isRoot ? static_cast<gid_t>(1000 + i) : getegid();
    CHECK(setgid(gid) == 0);
    if (isRoot) CHECK(setgroups(1, &gid) == 0);
    CHECK(seteuid(isRoot ? 4711 : geteuid()) == 0);
    if (i % 5 == 0) allHave(isRoot ? 4711 : geteuid(), static_cast<long>(gid));
    if (isRoot) CHECK(seteuid(0) == 0);
    CHECK(setuid(getuid()) == 0);
    runtime::Gosched();
  }
  stop = true;
  boot::println("the ids were changed and no thread was left out");
}
