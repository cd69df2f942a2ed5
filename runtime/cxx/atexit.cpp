// Static constructors before main_main, destructors at the end.
//
// Owns: runtime.doInit (Go's name for running what a package does before main), __cxa_atexit and its relatives, and
// the order of the end: last registered, first run. What else is done at an end is in os_linux.h.
//
// Invariants
//   - doInit runs on the main goroutine, so a static constructor may use channels, start goroutines and wait.
//   - Destructors of the runtime's own objects: there are none, all its statics are plain data. So nothing a destructor of
//     the user may call is gone.
//   - runAtexit takes one entry at a time with the lock released while it runs: a destructor may register another one.
//   - thread_locals belong to an M. Those of the M that ends the program are destroyed before the statics; those of an M
//     whose thread ends when it ends (threadAtexit).
#include <cstddef>
#include <cstdint>
#include <new>

#include "runtime/cxx/cxx.h"
#include "runtime/base/panic.h"
#include "runtime/base/print.h"
#include "runtime/base/symtab.h"
#include "runtime/diag/symtab.h"
#include "runtime/gc/mgc.h"
#include "runtime/mem/malloc.h"
#include "runtime/os/os_linux.h"
#include "runtime/base/hooks.h"

namespace runtime {
namespace {

struct entry {
  void (*fn)(void*);
  void* arg;
  m* owner;  // for a thread_local: its M; null for a static
  entry* next;
};

mutex exitLock{0, lockRankExit};
entry* statics;   // exitLock
entry* locals;    // exitLock
entry* quick;     // exitLock: at_quick_exit's
entry* spare;     // exitLock: those that have been run
entry first[32];  // exitLock: most programs need no more, and then nothing is allocated
std::uint32_t nfirst;

int push(entry** list, void (*fn)(void*), void* arg, m* owner) {
  lock(&exitLock);
  entry* e = spare;
  if (e != nullptr)
    spare = e->next;
  else if (nfirst < sizeof first / sizeof first[0])
    e = &first[nfirst++];
  unlock(&exitLock);
  if (e == nullptr) e = static_cast<entry*>(persistentalloc(sizeof(entry), alignof(entry)));
  lock(&exitLock);
  *e = {fn, arg, owner, *list};
  *list = e;
  unlock(&exitLock);
  return 0;
}

// Takes out the newest entry that belongs to owner and runs it; false when there is none.
bool popAndRun(entry** list, m* owner) {
  lock(&exitLock);
  while (*list != nullptr && (*list)->owner != owner) list = &(*list)->next;
  entry* e = *list;
  if (e != nullptr) *list = e->next;
  unlock(&exitLock);
  if (e == nullptr) return false;
  e->fn(e->arg);
  lock(&exitLock);
  e->next = spare;
  spare = e;
  unlock(&exitLock);
  return true;
}

}  // namespace

namespace cxx {

void threadAtexit(m* mp) {
  while (popAndRun(&locals, mp)) {}
}

void runAtexit() {
  threadAtexit(getg()->m);
  while (popAndRun(&statics, nullptr)) {}
  for (std::size_t n = fini_end - fini_start; n > 0; n--) fini_start[n - 1]();
}

}  // namespace cxx

// g's word at FS-8 is taken out of the program's thread_locals, which end at FS, by this one: a TLS common block comes
// last of all, and 64 bytes at an alignment of 64 leave no gap behind it.
__asm__(".tls_common gblk,64,64");

BOOTMARK void doInit(inittask t) {
  if (t == inittask::runtime) {
    std::int64_t start = nanotime();
    runtimeInit0();
    if (UNLIKELY(debug.inittrace != 0)) cxx::inittrace("runtime", start, nanotime());
    return;
  }
  std::int64_t slot;
  __asm__("movq $gblk@tpoff+56, %0" : "=r"(slot));
  // Above an alignment of 64 there is room behind gblk, up to the next multiple of it, and g's word is in that.
  auto align = static_cast<std::int64_t>(firstmoduledata.tlsAlign),
       size = static_cast<std::int64_t>(firstmoduledata.tlsSize);
  if (slot + 8 != size - ((size + align - 1) & -align)) throw_("doInit: g's word is not where the linker put gblk");
  hooks.atexit = cxx::runAtexit;
  cxx::applyIrelative();
  for (auto f = cxx::preinit_start; f != cxx::preinit_end; f++) cxx::runInit(f);
  for (auto f = cxx::init_start; f != cxx::init_end; f++) cxx::runInit(f);
}

}  // namespace runtime

// What libstdc++ has a version of its own of, needing threads or stdio. The linker takes the first one that it finds, and
// while it reads libstdc++.a it finds those: so ours are asked for here, by an object that is always linked. The array
// itself is dropped by --gc-sections.
extern "C" void* __cxa_get_globals() noexcept;
extern "C" int __cxa_guard_acquire(std::uint64_t*) noexcept;
namespace __gnu_cxx {
void __verbose_terminate_handler();
}
namespace {
[[gnu::used]] void (*const ours[])() = {
    reinterpret_cast<void (*)()>(__cxa_get_globals),
    reinterpret_cast<void (*)()>(__cxa_guard_acquire),
    __gnu_cxx::__verbose_terminate_handler,
    reinterpret_cast<void (*)()>(static_cast<void* (*)(std::size_t)>(operator new)),
    reinterpret_cast<void (*)()>(static_cast<void (*)(void*) noexcept>(operator delete)),
};
}  // namespace

extern "C" {

// The handle of "this object" that destructors are registered with; there is one object only.
void* __dso_handle __attribute__((visibility("hidden"))) = nullptr;

int __cxa_atexit(void (*fn)(void*), void* arg, void*) noexcept {
  return runtime::push(&runtime::statics, fn, arg, nullptr);
}

int __cxa_thread_atexit(void (*fn)(void*), void* arg, void*) noexcept {
  runtime::hooks.endThread = [] { runtime::cxx::threadAtexit(runtime::getg()->m); };
  return runtime::push(&runtime::locals, fn, arg, runtime::getg()->m);
}
int __cxa_thread_atexit_impl(void (*fn)(void*), void* arg, void* dso) noexcept {
  return __cxa_thread_atexit(fn, arg, dso);
}

int atexit(void (*fn)()) noexcept {
  return runtime::push(
      &runtime::statics, [](void* f) { reinterpret_cast<void (*)()>(f)(); }, reinterpret_cast<void*>(fn), nullptr);
}

// Ends the program as C does: destructors, then the process. Other goroutines are cut off where they are.
[[noreturn]] void exit(int code) noexcept { runtime::exitProgram(code); }
[[noreturn]] void _exit(int code) { runtime::exit(code); }
[[noreturn]] void _Exit(int code) noexcept { runtime::exit(code); }
[[noreturn]] void quick_exit(int code) noexcept {
  if (runtime::hooks.traceStop != nullptr && !runtime::hooks.traceStop()) code = runtime::exitstatus(code);
  while (runtime::popAndRun(&runtime::quick, nullptr)) {}
  runtime::exit(code);
}

}  // extern "C"

// The header gives it C++ linkage and the name of C.
int at_quick_exit(void (*fn)()) noexcept {
  return runtime::push(
      &runtime::quick, [](void* f) { reinterpret_cast<void (*)()>(f)(); }, reinterpret_cast<void*>(fn), nullptr);
}
