// The boot's own record: each step as it happens, with its time, thread, M, P, G and the values it set.
//
// Owns: a static array, filled from the first instructions of rt0_go until main_main is called. `boot`, boottrace, gdb
// and the tour all read this one array; nothing is told twice.
//
// Invariants
//   - A record costs a rdtsc, an atomic increment and some stores: it may stand in any step, before TLS too.
//   - The descriptor of a step is static data made where the step is (symbol, file, line, names of its values), so
//     the text can't drift from the code.
//   - The array never overflows: a record that finds it full is dropped and counted.
// Way not taken: printing as we go. That needs the kernel, changes the timing it reports, and is over before a
// debugger or main_main could ask.
#pragma once

#include "runtime/base/atomic.h"
#include "runtime/base/stubs.h"

namespace runtime {

// One step's description. fields names the values, comma-separated, a leading # asks for hexadecimal.
// The layout is known to asm_amd64.S (BOOTSTEP there) and to the exported table for debuggers.
struct bootdesc {
  const char* symbol;  // Go's name, as in the ELF symbol table
  const char* file;
  std::uint64_t line;
  const char* fields;  // "" if the step has no values
};

struct bootrec {
  std::uint64_t tsc;     // when
  const bootdesc* desc;  // what; written last, null means "being written"
  const g* gp;           // null before TLS is set up
  std::int64_t goid;
  std::int32_t mid;     // -1: no M yet
  std::int32_t pid;     // -1: no P
  std::uint32_t tid;    // 1 is the first thread, else m.id + 1
  std::uint32_t depth;  // reserved for the printer
  std::uint64_t val[4];
};

constexpr std::uint32_t kBootRecs = 192;
extern bootrec bootrecs[kBootRecs] GOSYM("runtime.bootrecs");
extern std::uint32_t nbootrecs GOSYM("runtime.nbootrecs");  // atomic; may exceed kBootRecs when some were dropped
extern std::uint32_t bootrecording GOSYM("runtime.bootrecording");  // 1 until main_main is called
extern bool boottrace GOSYM("runtime.boottrace");                   // GODEBUG=boottrace=1: print each record at once

void bootrecord(const bootdesc* d, std::uint64_t a, std::uint64_t b, std::uint64_t c, std::uint64_t e)
    GOSYM("runtime.bootrecord");
// Prints records from the first unprinted on; called when boottrace is found in the environment, then by each record.
void bootflush() GOSYM("runtime.bootflush");

// Nanoseconds from the first record to tsc. The counter's rate is taken from two readings of the clock: one that args
// makes as soon as there is a clock, and one made here; so the answer gets better with distance, and there is none (0)
// before args.
std::int64_t bootns(std::uint64_t tsc) GOSYM("runtime.bootns");
// args: from now on there is a clock.
void bootclock(std::int64_t (*nanotime)()) GOSYM("runtime.bootclock");
// One record as a line of text without newline; returns its length. For boottrace and the narrating program.
std::size_t bootformat(std::uint32_t i, char* buf, std::size_t n);

#define BOOTSTEP_1(name, fields, a, b, c, e)                                                                         \
  do {                                                                                                               \
    static const ::runtime::bootdesc desc_ = {name, __FILE__, __LINE__, fields};                                     \
    if (__builtin_expect(::runtime::bootrecording, 0))                                                               \
      ::runtime::bootrecord(&desc_, (std::uint64_t)(a), (std::uint64_t)(b), (std::uint64_t)(c), (std::uint64_t)(e)); \
  } while (0)
#define BOOTSTEP_GET(_1, _2, _3, _4, _5, _6, N, ...) BOOTSTEP_##N##V
#define BOOTSTEP_1V(name)                            BOOTSTEP_1(name, "", 0, 0, 0, 0)
#define BOOTSTEP_3V(name, f, a)                      BOOTSTEP_1(name, f, a, 0, 0, 0)
#define BOOTSTEP_4V(name, f, a, b)                   BOOTSTEP_1(name, f, a, b, 0, 0)
#define BOOTSTEP_5V(name, f, a, b, c)                BOOTSTEP_1(name, f, a, b, c, 0)
#define BOOTSTEP_6V(name, f, a, b, c, e)             BOOTSTEP_1(name, f, a, b, c, e)
// BOOTSTEP("runtime.osinit", "ncpu,#hugepage", ncpu, size): up to four values.
#define BOOTSTEP(...) BOOTSTEP_GET(__VA_ARGS__, 6, 5, 4, 3, 2, 1)(__VA_ARGS__)

}  // namespace runtime
