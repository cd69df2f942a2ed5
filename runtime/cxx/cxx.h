// The C++ layer inside: what its files share, and what rt0.cpp and the layers' hooks take from it.
//
// Owns: parking on an address, the one primitive from which mutexes, condition variables, function-local statics, the
// futexes of std::atomic::wait and joins are made. Goroutines wait in it as on a futex: "sleep if *addr is still val".
//
// Way not taken: an own queue inside each pthread_mutex_t. It saves the table's hash on the slow path, but each
// primitive then needs a hand-made protocol; with one lot the queueing is proven once.
#pragma once

#include <time.h>

#include "runtime/base/stubs.h"
#include "runtime/sched/time.h"

namespace runtime {

// What runs before main_main, in Go's two steps: first the runtime's own (its helper goroutines), then, when the
// collector is enabled, the user's static constructors, which may do all that a program may.
enum class inittask { runtime, main };
void doInit(inittask t) GOSYM("runtime.doInit");

namespace cxx {

// woken: by wakeOn; handed: by wakeOn that gave something away with it; changed: *addr was not val; timeout: deadline.
enum class parkResult : std::uint8_t { woken, handed, changed, timeout };

// Parks the running goroutine on addr if *addr == val; deadline in nanotime's terms, kForever for none. On g0, where
// nothing can park, it gives the CPU away once and returns `changed`: callers loop anyhow.
constexpr std::int64_t kForever = INT64_MAX;
parkResult parkOn(const std::uint32_t* addr, std::uint32_t val, std::int64_t deadline, waitReason why);
// Readies up to n goroutines parked on addr, oldest first; returns how many. They see `as`.
std::uint32_t wakeOn(const std::uint32_t* addr, std::uint32_t n, parkResult as = parkResult::woken);

// A wait in two steps, for who must be on the list before it gives up what guards the condition: enlist, and later
// parkEnlisted, which does not park if it was woken in between. w is in the caller's frame, which must not be left before
// parkEnlisted. *count is the number of waiters on the list; it may be read by anybody as a hint.
struct waiter {
  waiter* next;  // the list's fields, and all up to deadline: under the lock of the address's bucket
  waiter* prev;
  const std::uint32_t* addr;
  std::uint32_t* count;  // null: nobody counts
  g* gp;
  uintptr ticket;
  parkResult result;  // set by who takes it out
  bool queued, parked;
  timer deadline;
};
void enlist(waiter* w, const std::uint32_t* addr, std::uint32_t* count);
parkResult parkEnlisted(waiter* w, std::int64_t deadline, waitReason why);

// True where a goroutine runs that may park: not on g0 or gsignal, not with locks held.
bool canPark();

// A deadline in nanotime's terms from a time of a POSIX clock, and from now on. deadlineOf is false, which means EINVAL,
// for any clock but CLOCK_REALTIME and CLOCK_MONOTONIC, and for nanoseconds that are not below a second. Nanoseconds below 0
// with no second above 0 are a time that is over, though libc says EINVAL: libstdc++ makes them of times before the epoch,
// and takes EINVAL of a shared lock for success, of a futex for a reason to try again, for ever.
bool deadlineOf(int clock, const timespec* abs, std::int64_t* deadline);
std::int64_t deadlineIn(std::int64_t ns);

// What a goroutine that is a std::thread or has pthread_setspecific values leaves behind: run on it, at its end.
void endSpecific();

// Fills in the addresses of functions that libm.a chooses by the CPU. Before anything of the user's runs.
void applyIrelative();

using initfn = void (*)(int, char**, char**);
using finifn = void (*)();

// Calls *f, one of the program's static constructors. GODEBUG=inittrace=1: a line for what began and ended then.
void runInit(const initfn* f);
void inittrace(const char* name, std::int64_t start, std::int64_t end);

// Destructors: of all statics (hooks.atexit), of the thread_locals of one M.
void runAtexit();
void threadAtexit(m* mp);

extern const initfn preinit_start[] __asm__("__preinit_array_start") [[gnu::visibility("hidden")]];
extern const initfn preinit_end[] __asm__("__preinit_array_end") [[gnu::visibility("hidden")]];
extern const initfn init_start[] __asm__("__init_array_start") [[gnu::visibility("hidden")]];
extern const initfn init_end[] __asm__("__init_array_end") [[gnu::visibility("hidden")]];
extern const finifn fini_start[] __asm__("__fini_array_start") [[gnu::visibility("hidden")]];
extern const finifn fini_end[] __asm__("__fini_array_end") [[gnu::visibility("hidden")]];

}  // namespace cxx
}  // namespace runtime
