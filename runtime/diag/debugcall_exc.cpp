// The part of a debugger's call that exceptions pass through: none gets further than here.
#include <cxxabi.h>
#include <cstring>
#include <exception>
#include <typeinfo>

#include "runtime/diag/debugcall.h"

namespace runtime {

void debugCallWrap2(void (*dispatch)(), void (*beforeExit)()) {
  try {
    dispatch();
  } catch (const std::exception& e) {
    debugCallPanicked(e.what(), std::strlen(e.what()));
  } catch (...) {
    if (const std::type_info* t = abi::__cxa_current_exception_type()) {
      debugCallPanicked(t->name(), std::strlen(t->name()));
      return;
    }
    // Not an exception: the function called Goexit, whose unwinding goes on when this block is left. The caller must not
    // wait for a goroutine that will not come back.
    static constexpr char text[] = "runtime.Goexit";
    debugCallPanicked(text, sizeof text - 1);
    beforeExit();
  }
}

}  // namespace runtime
