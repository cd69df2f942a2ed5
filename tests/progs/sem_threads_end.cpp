// A goroutine that ends locked takes its thread along (but the first thread, which stays and does nothing more); locks
// nest and are not inherited; GOMAXPROCS is changed under load; main's Goexit leaves the others running, and
// NumGoroutine does not count it. As a Go 1.19 program, at GOMAXPROCS 1, 2 and 4.
// PROCS: 1 2 4
// TIMEOUT: 60
// EXIT: 3
// STDOUT: locked: gone true, a thread twice false
// STDOUT: a child on the locked thread: false, main stays: true
// STDOUT: unlocked
// STDOUT: all ran: true
// STDOUT: deferred
// STDOUT: still here 1
#include <boot/boot.h>

#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <set>

using namespace std::chrono_literals;

namespace {

int tid() { return static_cast<int>(syscall(SYS_gettid)); }

bool gone(int t) {
  if (t == static_cast<int>(syscall(SYS_getpid))) return true;  // the first thread never ends
  return syscall(SYS_tgkill, syscall(SYS_getpid), t, 0) != 0;
}

void lockedEnds() {
  int tids[5];
  boot::sync::WaitGroup wg;
  for (int& t : tids) {
    wg.Add(1);
    boot::go([&] {
      boot::defer d{[&] { wg.Done(); }};
      runtime::LockOSThread();
      t = tid();
      runtime::Goexit();
    });
  }
  wg.Wait();
  bool all = false;
  for (int i = 0; i < 500 && !all; i++) {
    all = true;
    for (int t : tids) all = all && gone(t);
    if (!all) boot::time::Sleep(10ms);
  }
  boot::println("locked: gone {}, a thread twice {}", all, std::set<int>(tids, tids + 5).size() != 5);
}

void nests() {
  runtime::LockOSThread();
  runtime::LockOSThread();
  runtime::UnlockOSThread();
  const int t = tid();
  auto c = boot::make_chan<int>();
  bool inherited = false;
  for (int i = 0; i < 50; i++) {
    boot::go([=] { c.send(tid()); });
    inherited = inherited || c.recv() == t;
  }
  boot::println("a child on the locked thread: {}, main stays: {}", inherited, t == tid());
  runtime::UnlockOSThread();
  runtime::UnlockOSThread();  // one too many is nothing
  boot::println("unlocked");
}

void load() {
  std::atomic<bool> stop = false;
  std::atomic<std::int64_t> n[8] = {};
  boot::sync::WaitGroup wg;
  for (auto& count : n) {
    wg.Add(1);
    boot::go([&] {
      while (!stop.load(std::memory_order_relaxed)) count.fetch_add(1, std::memory_order_relaxed);
      wg.Done();
    });
  }
  for (int p : {1, 4, 2, 8, 1, 3}) {
    runtime::GOMAXPROCS(p);
    boot::time::Sleep(10ms);
    if (runtime::GOMAXPROCS(0) != p) boot::println("GOMAXPROCS is {}, not {}", runtime::GOMAXPROCS(0), p);
  }
  bool all = false;
  for (int i = 0; i < 500 && !all; i++) {
    all = true;
    for (auto& count : n) all = all && count.load() > 0;
    if (!all) boot::time::Sleep(10ms);
  }
  stop = true;
  wg.Wait();
  boot::println("all ran: {}", all);
}

}  // namespace

void main_main() {
  lockedEnds();
  nests();
  load();
  boot::go([] {
    boot::time::Sleep(20ms);
    boot::println("still here {}", runtime::NumGoroutine());
    boot::os::Exit(3);
  });
  boot::defer d{[] { boot::println("deferred"); }};
  runtime::Goexit();
}
