// A goroutine tied to its thread stays on it; LockOSThread nests.
// PROCS: 1 2 8
// REPEAT: 5
// STDOUT: locked: 1 thread
// STDOUT: still locked after 2 locks and 1 unlock: true
#include <boot/boot.h>

#include <set>

using namespace std::chrono_literals;

namespace {

long call(long number) {
  long result;
  __asm__ volatile("syscall" : "=a"(result) : "a"(number) : "rcx", "r11", "memory");
  return result;
}
long threadId() { return call(186); }
void parentId() { call(110); }

}  // namespace

void main_main() {
  auto stop = boot::make_chan<int>();
  for (int i = 0; i < 4; i++) {
    boot::go([=] {
      for (bool on = true; on;)
        boot::select(boot::on_recv(stop, [&] { on = false; }), boot::on_default([] {
                       runtime::Gosched();
                       parentId();
                     }));
    });
  }
  {
    runtime::LockOSThread();
    boot::defer unlock{[] { runtime::UnlockOSThread(); }};
    std::set<long> seen;
    for (int i = 0; i < 300; i++) {
      seen.insert(threadId());
      runtime::Gosched();
      if (i % 20 == 0) boot::time::Sleep(100us);
    }
    boot::println("locked: {} thread", seen.size());
  }
  runtime::LockOSThread();
  runtime::LockOSThread();
  runtime::UnlockOSThread();
  long id = threadId();
  bool ok = true;
  for (int i = 0; i < 200; i++) {
    runtime::Gosched();
    ok = ok && id == threadId();
  }
  boot::println("still locked after 2 locks and 1 unlock: {}", ok);
}
