// 'runtime.gdb_offsets': the list of base/offsets.h as data, and the addresses that a debugger begins its reading with.
// Nothing in the program reads it; the link line asks for the symbol by name (-u), so --gc-sections keeps it.
#include "runtime/diag/gdb_table.h"

#include "runtime/base/bootstep.h"
#include "runtime/base/offsets.h"
#include "runtime/mem/stack.h"
#include "runtime/sched/time.h"
#include "runtime/sync/chan_inl.h"
#include "runtime/sync/semaroot.h"

namespace runtime {

namespace {
#define COUNT_FIELD(type, member) +1
#define COUNT_SIZE(type)          +1
#define COUNT_CONST(name, value)  +1
#define COUNT_ADDR(id, symbol)    +1
// clang-format off
#define BOOT_ADDRESSES(A)                                                                                             \
  A(a1, "runtime.g0") A(a2, "runtime.m0") A(a3, "runtime.sched") A(a4, "runtime.allm") A(a5, "runtime.allp")          \
  A(a6, "runtime.allgs") A(a7, "runtime.gomaxprocs") A(a8, "runtime.ncpu") A(a9, "runtime.physPageSize")              \
  A(a10, "runtime.waitReasonStrings") A(a11, "runtime.bootrecs") A(a12, "runtime.nbootrecs")                          \
  A(a13, "runtime.bootrecord") A(a14, "runtime.text") A(a15, "runtime.etext") A(a16, "runtime.pclntab")               \
  A(a17, "runtime.semtable") A(a18, "runtime.debugCallV2") A(a19, "runtime.goexit") A(a20, "runtime.iscgo")           \
  A(a21, "main.main") A(a22, "__start_boot_asmsteps") A(a23, "__stop_boot_asmsteps")                                  \
  A(a24, "runtime.bootrecording") A(a25, "runtime.panicking") A(a26, "runtime.debugCallPanicked")                     \
  A(a27, "runtime.debugCallFloats")
// clang-format on
constexpr std::uint32_t kCount = 0 BOOT_OFFSETS(COUNT_FIELD, COUNT_SIZE, COUNT_CONST) BOOT_ADDRESSES(COUNT_ADDR);

}  // namespace

// Each address goes by a local alias: a second declaration of runtime.g0 as characters would be one more answer for
// gdb's `print 'runtime.g0'`, and sometimes the one it takes.
#define DECLARE_ADDR(id, symbol)                                           \
  __asm__(".weak \"" symbol "\"\n\t.set gdbaddr." #id ", \"" symbol "\""); \
  extern const char id[] __asm__("gdbaddr." #id);
BOOT_ADDRESSES(DECLARE_ADDR)

struct gdb_offsets_table {
  gdb_offsets_header header;
  gdb_offset entry[kCount];
};

extern const gdb_offsets_table gdb_offsets GOSYM("runtime.gdb_offsets");
#define FIELD(type, member) {#type "." #member, offsetof(type, member), sizeof(static_cast<type*>(nullptr)->member)},
#define SIZE(type)          {#type "._size", sizeof(type), 0},
#define CONST(name, value)  {"const." #name, static_cast<std::int64_t>(value), 0},
#define ADDR(id, symbol)    {.name = "addr." symbol, .addr = id, .size = 0},
constinit const gdb_offsets_table gdb_offsets = {
    {"BOOTOFF", BOOT_OFFSETS_VERSION, kCount, sizeof(gdb_offset), 0},
    {BOOT_OFFSETS(FIELD, SIZE, CONST) BOOT_ADDRESSES(ADDR)},
};

// Tells gdb to look for the extension beside the program: scripts/gdbext in a folder above it (a build), or
// share/boot/gdbext (an installation). gdb runs this only for programs in directories that the user trusts
// (`set auto-load safe-path`).
__asm__(
    ".pushsection .debug_gdb_scripts, \"MS\", @progbits, 1\n"
    ".byte 4\n"
    ".ascii \"boot-gdb.py\\n\"\n"
    ".ascii \"import os\\n\"\n"
    ".ascii \"def load():\\n\"\n"
    ".ascii \"    d = os.path.dirname(os.path.realpath(gdb.current_objfile().filename))\\n\"\n"
    ".ascii \"    while True:\\n\"\n"
    ".ascii \"        for f in ('scripts/gdbext/load.py', 'share/boot/gdbext/load.py'):\\n\"\n"
    ".ascii \"            f = os.path.join(d, f)\\n\"\n"
    ".ascii \"            if os.path.exists(f):\\n\"\n"
    ".ascii \"                return gdb.execute('source ' + f)\\n\"\n"
    ".ascii \"        if d == os.path.dirname(d):\\n\"\n"
    ".ascii \"            return\\n\"\n"
    ".ascii \"        d = os.path.dirname(d)\\n\"\n"
    ".ascii \"load()\\n\"\n"
    ".byte 0\n"
    ".popsection\n");

}  // namespace runtime
