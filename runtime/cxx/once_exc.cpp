// std::call_once: pthread_once on goroutines, and the two thread words libstdc++ passes its closure through.
//
// std::call_once stores the closure's address and a function to call it in thread_locals, then calls
// pthread_once(flag, __once_proxy), and the proxy reads them. A goroutine may lose its thread in between: parked here
// while another one runs the function, or preempted just before the call. So
//   - pthread_once reads the words before it parks and writes them back before it calls the proxy;
//   - preemption saves them in the g and restores them on the M where the goroutine goes on (hooks.saveOnce and
//     .restoreOnce, set here: a program that has no call_once does not link this file and pays nothing).
//
// The file defines the thread words and the proxy itself, so that libstdc++'s own mutex.o is not linked. Compiled with
// exceptions: a function that throws leaves the flag unset, and one of the waiters runs it again.
#include <pthread.h>

#include "runtime/base/atomic.h"
#include "runtime/base/hooks.h"
#include "runtime/cxx/cxx.h"

namespace std {

__thread void* __once_callable;
__thread void (*__once_call)();

extern "C" void __once_proxy() { __once_call(); }

}  // namespace std

namespace runtime {
namespace {

constexpr std::uint32_t kRunning = 1, kDone = 2, kWaiters = 4;

// Run on g0 of the thread in question. The words are null but between call_once's two steps.
void saveOnce(g* gp) {
  if (std::__once_call == nullptr) return;
  gp->once_callable = std::__once_callable;
  gp->once_call = reinterpret_cast<void*>(std::__once_call);
  gp->onceSaved = true;
}
void restoreOnce(g* gp) {
  std::__once_callable = gp->once_callable;
  std::__once_call = reinterpret_cast<void (*)()>(gp->once_call);
  gp->onceSaved = false;
}

// Before any other constructor could use call_once.
[[gnu::constructor(101)]] void setHooks() {
  hooks.saveOnce = saveOnce;
  hooks.restoreOnce = restoreOnce;
}

void leave(std::uint32_t* word, std::uint32_t to) {
  if (atomic::Xchg(word, to) & kWaiters) cxx::wakeOn(word, UINT32_MAX);
}

void runOnce(std::uint32_t* word, void (*fn)()) {
  try {
    fn();
  } catch (...) {
    leave(word, 0);
    throw;
  }
  leave(word, kDone);
}

}  // namespace

// Out of line: the compiler could keep the address of a thread word across the switch in parkOn.
[[gnu::noinline]] void getWords(void** callable, void (**call)()) {
  *callable = std::__once_callable;
  *call = std::__once_call;
}
[[gnu::noinline]] void setWords(void* callable, void (*call)()) {
  std::__once_callable = callable;
  std::__once_call = call;
}

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
    cxx::parkOn(word, v | kWaiters, cxx::kForever, waitReasonSemacquire);
  }
}

}  // namespace runtime
