// What the unwinder asks about __morestack: an exception that passes a hop must put the goroutine back on the outer stack.
//
// The landing pad is in assembly (runtime.morestackpad). There are no tables to read: of all the places in __morestack
// only the call of the hop can throw, and its return address is runtime.morestackback.
#include <unwind.h>

#include "runtime/base/stubs.h"

extern "C++" {
extern const char morestackback[] __asm__("runtime.morestackback");
extern const char morestackpad[] __asm__("runtime.morestackpad");
}

namespace runtime {

extern "C" _Unwind_Reason_Code morestackPersonality(int version, _Unwind_Action actions, std::uint64_t,
                                                    _Unwind_Exception* exc, _Unwind_Context* ctx)
    GOSYM("runtime.morestackPersonality");

extern "C" _Unwind_Reason_Code morestackPersonality(int version, _Unwind_Action actions, std::uint64_t,
                                                    _Unwind_Exception* exc, _Unwind_Context* ctx) {
  if (version != 1) return _URC_FATAL_PHASE1_ERROR;
  if ((actions & _UA_CLEANUP_PHASE) == 0) return _URC_CONTINUE_UNWIND;
  if (_Unwind_GetIP(ctx) != reinterpret_cast<_Unwind_Ptr>(morestackback)) return _URC_CONTINUE_UNWIND;
  _Unwind_SetGR(ctx, __builtin_eh_return_data_regno(0), reinterpret_cast<_Unwind_Word>(exc));
  _Unwind_SetGR(ctx, __builtin_eh_return_data_regno(1), 0);
  _Unwind_SetIP(ctx, reinterpret_cast<_Unwind_Ptr>(morestackpad));
  return _URC_INSTALL_CONTEXT;
}

}  // namespace runtime
