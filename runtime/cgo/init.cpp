// Static constructors before main_main, and the end, with libc (hosted mode's part of what cxx/atexit.cpp does).
//
// Owns: runtime.doInit, the program's way into libc's exit, errno across a preemption.
//
// Invariants
//   - doInit runs on the main goroutine, so a static constructor may use channels, start goroutines and wait. libc does
//     not know of the program's constructors (asm/text_hosted.ld).
//   - The end is libc's exit, on the goroutine that ends the program: destructors, atexit, then stdio. Destructors may wait.
//   - errno is the thread's, and a goroutine that is preempted may go on on another thread: the value is taken along, and
//     so are the two thread words by which std::call_once hands its closure to pthread_once.
#include <errno.h>
#include <stdlib.h>

#include <cstddef>
#include <exception>

#include "runtime/base/hooks.h"
#include "runtime/base/panic.h"
#include "runtime/cgo/cgo.h"
#include "runtime/cxx/cxx.h"
#include "runtime/gc/mgc.h"
#include "runtime/os/os_linux.h"

namespace std {
// libstdc++'s. The types are those of its header, which shows them to includers of <mutex> only.
extern __thread void* __once_callable;
extern __thread void (*__once_call)();
}  // namespace std

namespace __gnu_cxx {
void __verbose_terminate_handler();  // boot/unhandled.cpp
}

// g's word at FS-8 is taken out of the program's thread_locals, which end at FS, by this one: a TLS common block comes
// last of all, and 64 bytes at an alignment of 64 leave no gap behind it.
__asm__(".tls_common gblk,64,64");

namespace runtime {
namespace {

extern "C++" {
extern const cxx::initfn initStart[] GOSYM("runtime.init_start") [[gnu::visibility("hidden")]];
extern const cxx::initfn initEnd[] GOSYM("runtime.init_end") [[gnu::visibility("hidden")]];
}

// Run on g0 of the thread in question.
void saveWords(g* gp) {
  gp->cxxerrno = errno;
  gp->once_callable = std::__once_callable;
  gp->once_call = reinterpret_cast<void*>(std::__once_call);
  gp->onceSaved = true;
}
void restoreWords(g* gp) {
  errno = gp->cxxerrno;
  std::__once_callable = gp->once_callable;
  std::__once_call = reinterpret_cast<void (*)()>(gp->once_call);
  gp->onceSaved = false;
}

void runExit() { ::exit(exitcode); }

void terminate() {
  if (getg() != nullptr) __gnu_cxx::__verbose_terminate_handler();
  static constexpr char text[] = "fatal: an exception that nobody catches on a thread that is not the runtime's\n";
  write1(2, text, sizeof text - 1);
  ::abort();
}

}  // namespace

BOOTMARK void doInit(inittask t) {
  if (t == inittask::runtime) {
    std::int64_t start = nanotime();
    runtimeInit0();
    if (UNLIKELY(debug.inittrace != 0)) cxx::inittrace("runtime", start, nanotime());
    return;
  }
  hooks.atexit = runExit;
  hooks.saveOnce = saveWords;
  hooks.restoreOnce = restoreWords;
  std::set_terminate(terminate);
  for (auto f = initStart; f != initEnd; f++) cxx::runInit(f);
}

}  // namespace runtime

// The names that libc's and the C++ library's own are to give way to must be in the program, whether or not its objects
// ask for them; this object always is.
extern "C" void* __cxa_get_globals() noexcept;
namespace runtime::cgo {
[[gnu::used]] const char* const linked[] = {&calls, &c11Calls, &kernelCalls, &stackCalls, &guards, &onces};
}
namespace {
[[gnu::used]] void* (*const globals)() noexcept = __cxa_get_globals;
}  // namespace

extern "C" {
// The handle of "this object" that destructors are registered with.
void* __dso_handle __attribute__((visibility("hidden"))) = &__dso_handle;
}
