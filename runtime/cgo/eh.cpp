// The state of exceptions, per goroutine, with libstdc++ as a shared library. It calls these two through its own symbol
// table, so that the program's definitions are the ones in use.
//
// A thread that is not the runtime's has no g; its state is in a thread_local of its own. Nothing here is called across a
// switch, so the address stays right.
#include "runtime/base/stubs.h"

namespace {

__thread runtime::uintptr foreign[2];

void* globals() noexcept {
  runtime::g* gp = runtime::getg();
  return gp != nullptr ? gp->eh_globals : foreign;
}

}  // namespace

extern "C" {
void* __cxa_get_globals() noexcept { return globals(); }
void* __cxa_get_globals_fast() noexcept { return globals(); }
}
