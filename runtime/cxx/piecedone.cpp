// The point between two pieces of a large block; memchunk.h has the rule.
//
// Owns: who may be stopped there.
#include "runtime/cxx/memchunk.h"

#include "runtime/mem/stack.h"
#include "runtime/sync/onep.h"

namespace runtime {

// asm/text.ld: the runtime's own text is [runtime.text, runtime.libtext). Null where nothing was gathered.
extern const char ownText[] __asm__("runtime.text") __attribute__((weak));
extern const char ownTextEnd[] __asm__("runtime.libtext") __attribute__((weak));

[[gnu::noinline, gnu::cold]] void pieceDone(const void* caller) {
  if (LIKELY(getguard() != stackPreempt)) return;
  if (ownTextEnd == nullptr || (caller >= ownText && caller < ownTextEnd)) return;
  // Not in a signal handler of the program's, which runs with the goroutine's g, but on another stack.
  g* gp = getg();
  auto sp = reinterpret_cast<uintptr>(__builtin_frame_address(0));
  if (sp < gp->stack.lo - kStackSlack || sp >= gp->stack.hi) return;
  preempthere();
}

}  // namespace runtime
