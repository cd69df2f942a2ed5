// A fault on the way of dying: the program takes the table of functions away, which every traceback reads (and a panic,
// before it says anything). What comes is Go's: what it died of, that there is no stack trace, and exit status 4.
// RUN: %prog panics; test $? = 4 && %prog fatal; test $? = 4 && %prog quit; test $? = 4 && %prog goroutine; test $? = 4
// PROCS: 1 2 8
// REPEAT: 2
// REPEAT-STRESS: 100
// TIMEOUT: 30
// STDERR-MATCH: ^fatal error: fault$
// STDERR-MATCH: ^panic during panic$
// STDERR-MATCH: ^stack trace unavailable$
// STDERR-MATCH: ^fatal error: sync: unlock of unlocked mutex$
// STDERR-MATCH: ^panic during panic$
// STDERR-MATCH: ^stack trace unavailable$
// STDERR-MATCH: ^SIGQUIT: quit$
// STDERR-MATCH: ^panic during panic$
// STDERR-MATCH: ^stack trace unavailable$
// STDERR-MATCH: ^fatal error: fault$
// STDERR-MATCH: ^panic during panic$
// STDERR-MATCH: ^stack trace unavailable$
#include "fatal_scenario.h"

// Weak: in the first of the two links there is none.
extern char pclntab[] __asm__("runtime.pclntab") [[gnu::weak]];

namespace {

// After this no function has a name. The table is on pages of its own, but for its ends.
void takeTable() {
  std::uintptr_t lo = reinterpret_cast<std::uintptr_t>(opaque(pclntab));
  std::uint32_t size;
  __builtin_memcpy(&size, reinterpret_cast<char*>(lo) + 52, sizeof size);
  std::uintptr_t first = (lo + 4095) & ~std::uintptr_t{4095}, last = (lo + size) & ~std::uintptr_t{4095};
  call(10, static_cast<long>(first), static_cast<long>(last - first), 0);  // mprotect: no access
}

SCENARIO(panics) {
  takeTable();
  boot::panic("text");
}
SCENARIO(fatal) {
  takeTable();
  boot::sync::Mutex mu;
  mu.Unlock();
}
SCENARIO(quit) {
  takeTable();
  kill(3);
  forever();
}
SCENARIO(goroutine) {
  takeTable();
  go([] { boot::panic("on a goroutine"); });
  for (;;) runtime::Gosched();
}

}  // namespace

void main_main() { runScenario(); }
