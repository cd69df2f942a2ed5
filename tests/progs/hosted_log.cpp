// boot::log()'s sink: 1,000 goroutines log 100 lines each into a pipe that is read slowly, so that the queue is full nearly
// all the time. Each line comes whole and once, those of one goroutine in their order; who waits parks, so there is no
// thread for each of them.
// HOSTED: only
// PROCS: 1 2 8
// TIMEOUT: 60
// STDOUT: 100000 lines, each whole and once
// STDOUT: few threads
// STDOUT: lines of a thread without a goroutine: 10
// STDOUT: flush has waited
#include <boot/log.h>

#include <dirent.h>

#include <cstdio>
#include <thread>
#include <vector>

#include "cxx_check.h"

static int threads() {
  int n = 0;
  DIR* d = opendir("/proc/self/task");
  while (dirent* e = readdir(d)) n += e->d_name[0] != '.';
  closedir(d);
  return n;
}

// Reads lines of fd and hands them to f until f says stop.
template <class F>
static void lines(int fd, F f) {
  std::string rest;
  char buf[4096];
  for (;;) {
    auto n = boot::os::Read(fd, buf, sizeof buf);
    CHECK(n > 0);
    rest.append(buf, static_cast<std::size_t>(n));
    std::size_t from = 0, to;
    for (; (to = rest.find('\n', from)) != rest.npos; from = to + 1)
      if (!f(rest.substr(from, to - from))) return;
    rest.erase(0, from);
  }
}

void main_main() {
  constexpr int kGoroutines = 1000, kLines = 100;
  auto [r, w] = boot::os::Pipe();
  auto sink = std::make_shared<boot::goroutine_sink>(w, 16);
  spdlog::logger log("test", sink);
  log.set_pattern("x");  // without our flags; the next one has them
  sink->set_pattern("g%G m%N p%Q|%v|end");

  std::vector<int> next(kGoroutines, 0);
  int most = 0;
  auto done = boot::make_chan<int>();
  boot::go([&, r = r] {
    int n = 0;
    lines(r, [&](const std::string& line) {
      long g, m, p;
      int who = -1, what = -1, used = 0;
      CHECK(std::sscanf(line.c_str(), "g%ld m%ld p%ld|%d: line %d|end%n", &g, &m, &p, &who, &what, &used) == 5);
      CHECK(used == static_cast<int>(line.size()) && g > 0 && m >= 0 && p >= 0);
      CHECK(who >= 0 && who < kGoroutines && what == next[static_cast<std::size_t>(who)]);
      next[static_cast<std::size_t>(who)]++;
      if (n % 5000 == 0) most = std::max(most, threads());
      return ++n < kGoroutines * kLines;
    });
    done.send(n);
  });
  onGoroutines(kGoroutines, [&](int i) {
    for (int k = 0; k < kLines; k++) log.info("{}: line {}", i, k);
  });
  boot::println("{} lines, each whole and once", done.recv());
  boot::println("{}", most <= 40 ? "few threads" : "a thread for each: " + std::to_string(most));

  std::thread([&] {
    for (int i = 0; i < 10; i++) log.info("{}: line {}", -1, i);
  }).join();
  int n = 0;
  lines(r, [&](const std::string& line) {
    CHECK(line == "g- m- p-|-1: line " + std::to_string(n) + "|end");
    return ++n < 10;
  });
  boot::println("lines of a thread without a goroutine: {}", n);

  log.info("last");
  log.flush();
  char buf[64];
  CHECK(boot::os::Read(r, buf, sizeof buf) > 0 && std::string_view(buf).find("|last|end\n") != std::string_view::npos);
  boot::println("flush has waited");
}
