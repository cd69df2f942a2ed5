// pthread_once, and with it std::call_once: who waits sleeps in the kernel without its P.
//
// libc's own blocks the thread with its P, which the goroutine that runs the function may need. Calling libc's between
// entersyscall and exitsyscall won't do: the function is the user's, and may park.
//
// std::call_once passes its closure to libstdc++'s proxy function in two thread words. They are read before waiting and
// written again before the call, since the goroutine may have changed its thread in between; preemption takes them along
// too (cgo/init.cpp). Compiled with exceptions: a function that throws leaves the flag unset, and a waiter tries.
#include <pthread.h>

#include "runtime/base/atomic.h"
#include "runtime/cgo/cgo.h"
#include "runtime/os/os_linux.h"

namespace std {
extern __thread void* __once_callable;
extern __thread void (*__once_call)();
}  // namespace std

namespace runtime {

const char cgo::onces = 0;

namespace {

constexpr std::uint32_t kRunning = 1, kDone = 2, kWaiters = 4;

void leave(std::uint32_t* word, std::uint32_t to) {
  if (atomic::Xchg(word, to) & kWaiters) futexwakeup(word, INT32_MAX);
}

// The goroutine comes back on the same thread, as from every call of libc's: std::call_once writes its two words again
// after it, and code under ThreadSanitizer keeps their addresses. They would be another thread's, whose words are in use.
struct onThread {
  bool locked = cgo::onGoroutine();
  onThread() {
    if (locked) lockOSThread();
  }
  ~onThread() {
    if (locked) unlockOSThread();
  }
};

void runOnce(std::uint32_t* word, void (*fn)()) {
  onThread same;
  try {
    fn();
  } catch (...) {
    leave(word, 0);
    throw;
  }
  leave(word, kDone);
}

// Out of line: the compiler could keep the address of a thread word across a switch.
[[gnu::noinline]] void getWords(void** callable, void (**call)()) {
  *callable = std::__once_callable;
  *call = std::__once_call;
}
[[gnu::noinline]] void setWords(void* callable, void (*call)()) {
  std::__once_callable = callable;
  std::__once_call = call;
}

}  // namespace

extern "C" int pthread_once(pthread_once_t* flag, void (*fn)()) {
  auto word = reinterpret_cast<std::uint32_t*>(flag);
  void* callable;
  void (*call)();
  getWords(&callable, &call);
  for (;;) {
    std::uint32_t v = atomic::LoadAcq(word);
    if (v & kDone) return 0;
    if (v == 0) {
      if (!atomic::Cas(word, 0, kRunning)) continue;
      setWords(callable, call);
      runOnce(word, fn);
      return 0;
    }
    if (!(v & kWaiters) && !atomic::Cas(word, v, v | kWaiters)) continue;
    cgo::outside([=] {
      futexsleep(word, v | kWaiters, -1);
      return 0;
    });
  }
}

}  // namespace runtime
