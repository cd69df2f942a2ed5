// Goexit, panics and exit where the runtime or the C++ library has something to put in order behind them.
// RUN: for s in $(%prog); do e=0; timeout 20 %prog $s >out 2>&1 || e=$?; echo "$s: $(echo $e $(head -1 out))"; done
// PROCS: 1 2 8
// TIMEOUT: 60
// STDOUT: ctor_goexit: 2 fatal error: no goroutines (main called runtime.Goexit) - deadlock!
// STDOUT: ctor_goexit_defer: 0 deferred
// STDOUT: ctor_goexit_others: 3 the other goes on
// STDOUT: ctor_goexit_locked: 0 the other goes on
// STDOUT: ctor_panic: 2 panic: in a constructor
// STDOUT: ctor_exit: 5
// STDOUT: ctor_locks: 0 on the first thread
// STDOUT: main_goexit: 2 fatal error: no goroutines (main called runtime.Goexit) - deadlock!
// STDOUT: static_goexit: 0 made by another
// STDOUT: call_once_goexit: 0 called by another
// STDOUT: once_goexit: 0 done
// STDOUT: atexit_goexit: 2 fatal error: no goroutines (main called runtime.Goexit) - deadlock!
// STDOUT: atexit_panic: 2 panic: in atexit
// STDOUT: atexit_exit: 4
// STDOUT: tls_goexit: 0 goes on
// STDOUT: tls_panic: 2 panic: in a thread_local's destructor
// STDOUT: finalizer_goexit: 0 one and no more: 1, goroutines 1
// STDOUT: afterfunc_goexit: 0 three
// STDOUT: afterfunc_panic: 2 panic: in AfterFunc
// STDOUT: blocking_goexit: 0 goes on
// STDOUT: locked_goexit_defer: 0 goes on
#include <boot/boot.h>

#include <cstdlib>
#include <mutex>
#include <string_view>

#include "runtime/base/syscall.h"

using namespace std::chrono_literals;

namespace {

[[noreturn]] void done(const char* text, int code = 0) {
  boot::println("{}", text);
  boot::os::Exit(code);
}

// Runs the deferred function of who ends, then the rest elsewhere.
template <class F>
void inGoroutine(F f) {
  boot::sync::WaitGroup wg;
  wg.Add(1);
  boot::go([&] {
    boot::defer d{[&] { wg.Done(); }};
    f();
  });
  wg.Wait();
}

int made = 0;
struct endsFirst {
  endsFirst() {
    if (++made == 1) {
      boot::time::Sleep(2ms);  // until the others wait
      runtime::Goexit();
    }
  }
};
void useStatic() { static endsFirst s; }

std::once_flag flag;
boot::sync::Once once;
int onceCalls = 0;
void useCallOnce() {
  std::call_once(flag, [] {
    if (++onceCalls == 1) runtime::Goexit();
  });
}
void useOnce() {
  once.Do([] {
    onceCalls++;
    runtime::Goexit();
  });
}

struct tlsEnd {
  int armed = 0;
  ~tlsEnd() noexcept(false) {
    if (armed == 1) runtime::Goexit();
    if (armed == 2) boot::panic("in a thread_local's destructor");
  }
};
thread_local tlsEnd tls;

struct scenario {
  const char* name;
  void (*inConstructor)();
  void (*inMain)();
};

void never() { done("main_main has run", 1); }
void nothing() {}

const scenario all[] = {
    {"ctor_goexit", [] { runtime::Goexit(); }, never},
    {"ctor_goexit_defer",
     [] {
       boot::defer d{[] { done("deferred"); }};
       runtime::Goexit();
     },
     never},
    {"ctor_goexit_others",
     [] {
       boot::go([] {
         for (int i = 0; i < 3; i++) boot::time::Sleep(1ms);
         done("the other goes on", 3);
       });
       runtime::Goexit();
     },
     never},
    {"ctor_goexit_locked",
     [] {
       runtime::LockOSThread();
       boot::go([] {
         boot::time::Sleep(1ms);
         runtime::GC();
         done("the other goes on");
       });
       runtime::Goexit();
     },
     never},
    {"ctor_panic", [] { boot::panic("in a constructor"); }, never},
    {"ctor_exit", [] { std::exit(5); }, never},
    {"ctor_locks", [] { runtime::LockOSThread(); },
     [] {
       for (int i = 0; i < 3; i++) {
         boot::go([] {});
         boot::time::Sleep(1ms);
       }
       bool first = runtime::syscall6(runtime::SYS_gettid) == runtime::syscall6(runtime::SYS_getpid);
       done(first ? "on the first thread" : "on another thread");
     }},
    {"main_goexit", nothing, [] { runtime::Goexit(); }},
    {"static_goexit", nothing,
     [] {
       for (int i = 0; i < 3; i++) boot::go(useStatic);
       boot::time::Sleep(1ms);
       useStatic();
       done(made == 2 ? "made by another" : "wrong");
     }},
    {"call_once_goexit", nothing,
     [] {
       inGoroutine(useCallOnce);
       inGoroutine(useCallOnce);
       useCallOnce();
       done(onceCalls == 2 ? "called by another" : "wrong");
     }},
    {"once_goexit", nothing,
     [] {
       inGoroutine(useOnce);
       inGoroutine(useOnce);
       useOnce();
       done(onceCalls == 1 ? "done" : "wrong");
     }},
    {"atexit_goexit", nothing, [] { std::atexit([] { runtime::Goexit(); }); }},
    {"atexit_panic", nothing, [] { std::atexit([] { boot::panic("in atexit"); }); }},
    {"atexit_exit", nothing, [] { std::atexit([] { boot::os::Exit(4); }); }},
    {"tls_goexit", nothing,
     [] {
       inGoroutine([] {
         runtime::LockOSThread();
         tls.armed = 1;
       });
       boot::time::Sleep(1ms);
       done("goes on");
     }},
    {"tls_panic", nothing,
     [] {
       inGoroutine([] {
         runtime::LockOSThread();
         tls.armed = 2;
       });
       boot::time::Sleep(10s);
     }},
    {"finalizer_goexit", nothing,
     [] {
       static int ran = 0;
       struct block {
         long a[8];
       };
       for (int i = 0; i < 50; i++)
         runtime::SetFinalizer(boot::New<block>(), [](block*) {
           __atomic_add_fetch(&ran, 1, __ATOMIC_SEQ_CST);
           runtime::Goexit();
         });
       for (int i = 0; i < 5; i++) {
         runtime::GC();
         boot::time::Sleep(1ms);
       }
       int n = __atomic_load_n(&ran, __ATOMIC_SEQ_CST);
       boot::println("one and no more: {}, goroutines {}", n, runtime::NumGoroutine());
       boot::os::Exit(0);
     }},
    {"afterfunc_goexit", nothing,
     [] {
       auto c = boot::make_chan<int>();
       for (int i = 0; i < 3; i++) {
         boot::time::AfterFunc(1ms, [=] {
           boot::defer d{[=] { c.send(1); }};
           runtime::Goexit();
         });
         c.recv();
       }
       done("three");
     }},
    {"afterfunc_panic", nothing,
     [] {
       boot::time::AfterFunc(1ms, [] { boot::panic("in AfterFunc"); });
       boot::time::Sleep(10s);
     }},
    {"blocking_goexit", nothing,
     [] {
       for (int i = 0; i < 3; i++) inGoroutine([] { boot::blocking([] { runtime::Goexit(); }); });
       runtime::GC();
       done("goes on");
     }},
    {"locked_goexit_defer", nothing,
     [] {
       inGoroutine([] {
         runtime::LockOSThread();
         boot::defer d{[] { runtime::UnlockOSThread(); }};
         runtime::Goexit();
       });
       done("goes on");
     }},
};

const scenario* chosen = [] {
  const auto& args = boot::os::Args();
  const scenario* s = nullptr;
  for (const scenario& o : all)
    if (args.size() > 1 && std::string_view(args[1]) == o.name) s = &o;
  if (s != nullptr) s->inConstructor();
  return s;
}();

}  // namespace

void main_main() {
  if (chosen != nullptr) return chosen->inMain();
  for (const scenario& s : all) boot::println("{}", s.name);
}
