// What a debugger finds that comes at any moment: goroutines that run in code that is all inlined, others that hand values
// to each other, sleep and wake, one in the kernel, and twenty that are parked; each has a frame of its own that knows its
// number. By itself it works for a moment and ends with 0. With the argument "stay" it says when all have begun, and goes
// on until it is killed. With "abort", "wild", "throw" or "quit" a goroutine that has been in a system call before ends it
// so, in a frame `victim`: by abort(), at an address that is not mapped, by an error of the runtime's, by SIGQUIT. With the
// further argument "many" there are 10,000 more that are parked.
// HOSTED: also
// STDOUT: all have begun
#include <boot/boot.h>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <string_view>

#include "boot/time.h"
#include "runtime/base/panic.h"
#include "runtime/base/runtime2.h"
#include "runtime/base/syscall.h"

using namespace std::chrono_literals;

extern "C" {
constexpr int kParked = 20;
// goids, for the debugger.
[[gnu::used, gnu::retain]] long attach_parked[kParked], attach_spins[4], attach_hands[2], attach_sleeps, attach_reads,
    attach_victim;
[[gnu::used, gnu::retain]] volatile long attach_sum;
}

namespace {

std::atomic<bool> stop{false};
std::atomic<int> started{0};

void here(long* id) {
  *id = runtime::getg()->goid;
  started++;
}

[[gnu::always_inline]] inline unsigned mix(unsigned x) {
  x ^= x << 13;
  x ^= x >> 17;
  return x ^ x << 5;
}
[[gnu::always_inline]] inline unsigned mixmany(unsigned x) {
  for (int i = 0; i < 1000; i++) x = mix(x);
  return x;
}
[[gnu::noinline]] void spin(int n) {
  volatile int me = n;
  here(&attach_spins[n]);
  unsigned x = static_cast<unsigned>(n) + 1;
  while (!stop) {
    x = mixmany(x);
    if (n == 1) runtime::Gosched();
    if (n == 2) boot::go([] {}), runtime::Gosched();
    if (n == 3) attach_sum = attach_sum + static_cast<long>(boot::make_slice<int>(x % 1000 + 1).size());
  }
  attach_sum = attach_sum + x + me;
}

[[gnu::noinline]] void parked(int n, boot::chan<int> c) {
  volatile int me = n;
  here(&attach_parked[n]);
  attach_sum = attach_sum + c.recv() + me;
}

[[gnu::noinline]] void oneofmany(boot::chan<int> c) {
  started++;
  attach_sum = attach_sum + c.recv();
}

[[gnu::noinline]] void hand(int n, boot::chan<int> c) {
  volatile int me = n;
  here(&attach_hands[n]);
  while (!stop) {
    if (me == 0)
      c.send(1);
    else
      attach_sum = attach_sum + c.recv();
  }
}

[[gnu::noinline]] void sleeps() {
  here(&attach_sleeps);
  while (!stop) boot::time::Sleep(100us);
}

[[gnu::noinline]] void reads(int fd) {
  here(&attach_reads);
  char c;
  boot::os::Read(fd, &c, 1);
  attach_sum = attach_sum + c;
}

// 4242 is n, which the debugger reads.
[[gnu::noinline]] void victim(int n, std::string_view how) {
  here(&attach_victim);
  boot::time::Sleep(1ms);
  char c = 0;
  auto [r, w] = boot::os::Pipe();
  boot::os::Write(w, &c, 1);
  boot::os::Read(r, &c, 1);
  if (how == "abort") std::abort();
  if (how == "wild") *reinterpret_cast<volatile int*>(0x123456789000) = 1;
  if (how == "throw") runtime::throw_("thrown for the debugger");
  if (how == "quit") {
    runtime::syscall6(62, runtime::syscall6(39), 3);
    while (!stop) attach_sum = mixmany(static_cast<unsigned>(attach_sum));
  }
  attach_sum = attach_sum + n;
}

}  // namespace

void main_main() {
  // Whoever may attach to a process of this user may attach to this one, where the kernel asks for more (Yama).
  runtime::syscall6(157, 0x59616d61, -1);
  std::string_view arg = boot::os::Args().size() > 1 ? boot::os::Args()[1] : "";
  auto nobody = boot::make_chan<int>(), hands = boot::make_chan<int>();
  auto [r, w] = boot::os::Pipe();
  for (int i = 0; i < kParked; i++) boot::go([=] { parked(i, nobody); });
  for (int i = 0; i < 4; i++) boot::go([=] { spin(i); });
  for (int i = 0; i < 2; i++) boot::go([=] { hand(i, hands); });
  boot::go([] { sleeps(); });
  boot::go([fd = r] { reads(fd); });
  int many = boot::os::Args().size() > 2 ? 10000 : 0;
  for (int i = 0; i < many; i++) boot::go([=] { oneofmany(nobody); });
  while (started < kParked + 8 + many) boot::time::Sleep(1ms);
  boot::println("all have begun");
  if (arg == "stay") boot::select();
  if (!arg.empty()) {
    boot::go([=] { victim(4242, arg); });
    boot::select();
  }
  stop = true;
}
