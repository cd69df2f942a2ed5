// The source of go_asm.h: field offsets for assembly, said by the compiler.
//
// It is compiled to text only (-S) and never linked. Each entry of the list becomes a line "@@ name value" in that
// text, which scripts/cmake/go_asm.cmake turns into "#define name value". Running a program instead would need one that
// runs on the building machine before there is a runtime.
#include "runtime/base/bootstep.h"
#include "runtime/base/offsets.h"
#include "runtime/mem/stack.h"
#include "runtime/sched/time.h"
#include "runtime/sync/chan_inl.h"
#include "runtime/sync/semaroot.h"

namespace runtime {

[[gnu::used]] static void go_asm() {
#define EMIT(name, value)        __asm__ volatile("\n@@ " name " %c0" ::"i"(value));
#define EMIT_FIELD(type, member) EMIT(#type "." #member, offsetof(type, member))
#define EMIT_SIZE(type)          EMIT(#type "._size", sizeof(type))
#define EMIT_CONST(name, value)  EMIT("const." #name, value)
  BOOT_OFFSETS(EMIT_FIELD, EMIT_SIZE, EMIT_CONST)
}

}  // namespace runtime
