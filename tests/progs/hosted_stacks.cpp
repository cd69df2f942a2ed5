// User code that does not run on its goroutine's stack: handlers of signals, contexts with stacks of their own, and what
// longjmp leaves behind. Stack checks pass there, and nobody is preempted there.
// HOSTED: only
// PROCS: 1 2 8
// TIMEOUT: 60
// STDOUT: handlers: with, without, and with a stack of their own
// STDOUT: handlers of milliseconds in a busy program
// STDOUT: swapcontext
// STDOUT: longjmp out of segments
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <vector>

#include "cxx_check.h"

namespace {

std::atomic<int> handled = 0;
std::atomic<std::uintptr_t> at = 0;

[[gnu::noinline]] int deep(int n) {
  char frame[400];
  memset(frame, n, sizeof frame);
  __asm__ volatile("" ::"r"(frame) : "memory");
  return n == 0 ? frame[0] : deep(n - 1) + frame[n % 400];
}

void handler(int) {
  at = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  deep(10);
  handled++;
}

void sets(int flags) {
  struct sigaction sa {};
  sa.sa_handler = handler;
  sa.sa_flags = flags;
  CHECK(sigaction(SIGUSR1, &sa, nullptr) == 0);
}

void handlers() {
  for (int flags : {SA_ONSTACK, 0}) {
    sets(flags);
    for (int depth : {0, 100, 3000}) {  // on its slot, and on segments
      int before = handled;
      auto raises = [&](auto self, int n) -> void {
        char frame[300];
        memset(frame, n, sizeof frame);
        __asm__ volatile("" ::"r"(frame) : "memory");
        if (n > 0) return self(self, n - 1);
        CHECK(raise(SIGUSR1) == 0);
      };
      raises(raises, depth);
      CHECK(handled == before + 1);
    }
  }
  CHECK(signal(SIGUSR2, handler) != SIG_ERR);
  int before = handled;
  raise(SIGUSR2);
  CHECK(handled == before + 1);

  static char own[64 * 1024];
  stack_t ss{own, 0, sizeof own}, old;
  onGoroutines(20, [&](int) {
    static std::atomic<int> one = 0;
    if (one++ != 0) return;
    CHECK(sigaltstack(&ss, &old) == 0);
    pthread_t me = pthread_self();
    for (int i = 0; i < 20; i++) {
      raise(SIGUSR1);
      CHECK(at - reinterpret_cast<std::uintptr_t>(own) < sizeof own);
      runtime::Gosched();
      CHECK(pthread_equal(me, pthread_self()));
    }
    CHECK(sigaltstack(&old, nullptr) == 0);
    raise(SIGUSR1);
    CHECK(at - reinterpret_cast<std::uintptr_t>(own) >= sizeof own);
  });
  boot::println("handlers: with, without, and with a stack of their own");
}

std::int64_t now() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000 + t.tv_nsec;
}

void storm() {
  struct sigaction sa {};
  sa.sa_handler = [](int) {
    for (std::int64_t until = now() + 3000000; now() < until;) deep(5);
    handled++;
  };
  CHECK(sigaction(SIGALRM, &sa, nullptr) == 0);
  struct itimerval every {
    {0, 8000}, { 0, 8000 }
  }, none{};
  int before = handled;
  CHECK(setitimer(ITIMER_REAL, &every, nullptr) == 0);
  std::atomic<bool> stop = false;
  std::atomic<long> sum = 0;
  auto done = boot::make_chan<int>();
  for (int i = 0; i < 6; i++)
    boot::go([&, i] {
      while (!stop) {
        sum += deep(i * 20);
        auto c = boot::make_chan<int>(1);
        c.send(1);
        c.recv();
        std::vector<int> v(100);
        if (i % 2 == 0) runtime::Gosched();
      }
      done.send(1);
    });
  while (handled < before + 60) runtime::Gosched();
  stop = true;
  for (int i = 0; i < 6; i++) done.recv();
  setitimer(ITIMER_REAL, &none, nullptr);
  boot::println("handlers of milliseconds in a busy program");
}

ucontext_t inner, outer;
char below[256 * 1024];  // lower than every goroutine's stack
int steps = 0;

void body() {
  for (;;) {
    steps += deep(50) == 0 ? 1 : 1;
    for (std::int64_t until = now() + 15000000; now() < until;) deep(3);  // longer than a time slice
    auto c = boot::make_chan<int>();
    boot::go([=] { c.send(1); });
    c.recv();  // parks here
    swapcontext(&inner, &outer);
  }
}

void contexts() {
  getcontext(&inner);
  inner.uc_stack.ss_sp = below;
  inner.uc_stack.ss_size = sizeof below;
  inner.uc_link = nullptr;
  makecontext(&inner, body, 0);
  std::atomic<bool> stop = false;
  boot::go([&] {
    while (!stop) deep(2);
  });
  for (int i = 0; i < 10; i++) {
    swapcontext(&outer, &inner);
    CHECK(steps == i + 1);
    deep(1500);
  }
  stop = true;
  boot::println("swapcontext");
}

jmp_buf env;
volatile bool goes = true;
[[gnu::noinline]] void leaves(int n) {
  char frame[300];
  memset(frame, n, sizeof frame);
  __asm__ volatile("" ::"r"(frame) : "memory");
  if (n == 0) {
    if (goes) longjmp(env, 1);
    return;
  }
  leaves(n - 1);
  __asm__ volatile("" ::"r"(frame) : "memory");
}
// Sets env some frames down, so that the jump goes to a segment, not only to the slot.
[[gnu::noinline]] void lands(int n, int jumps) {
  char frame[300];
  memset(frame, n, sizeof frame);
  __asm__ volatile("" ::"r"(frame) : "memory");
  if (n == 0) {
    volatile int k = 0;
    if (setjmp(env) != 0) k = k + 1;
    if (k < jumps) leaves(2000 + 1000 * k);
    CHECK(deep(4000) != 1);
    return;
  }
  lands(n - 1, jumps);
  __asm__ volatile("" ::"r"(frame) : "memory");
}

void jumps() {
  for (int from : {0, 100, 600, 3000, 9000}) {
    auto done = boot::make_chan<int>();
    boot::go([=] {
      lands(from, 5);
      deep(500);
      done.send(1);
    });
    done.recv();
  }
  boot::println("longjmp out of segments");
}

}  // namespace

void main_main() {
  handlers();
  storm();
  contexts();
  jumps();
}
