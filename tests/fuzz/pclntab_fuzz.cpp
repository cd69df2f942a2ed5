// The table of functions and lines: any bytes in place of what scripts/pclntab.py writes, and look-ups at a pc, at each
// function's borders and beside them.
// SOURCES: runtime/diag/symtab.cpp
#include "runtime/diag/symtab.h"
#include "tests/fuzz/fuzz.h"

using namespace runtime;

FUZZ(pclntab) {
  auto off = in.get<std::uint32_t>();
  auto table = in.rest();
  auto t = reinterpret_cast<const pclntab*>(table.begin());
  // A text lies in the table, as it is shorter than a string that is cut off, or is one of the reader's own.
  auto rule = [&](const char* s) {
    if (s == nullptr) return;
    auto p = reinterpret_cast<const std::uint8_t*>(s);
    FUZZ_RULE((p >= table.begin() && p < table.end() && std::memchr(p, 0, static_cast<std::size_t>(table.end() - p))) ||
              std::strcmp(s, "?") == 0);
  };
  auto ask = [&](std::uint32_t at) {
    if (table.size < sizeof *t) return;
    uintptr pc = reinterpret_cast<uintptr>(t) + static_cast<uintptr>(t->text) + at;
    funcinfo f = findfuncIn(t, table.size, pc);
    rule(f.name);
    FUZZ_RULE(f.name == nullptr || f.entry <= pc);
    funcloc loc[8];
    int n = pclookupIn(t, table.size, pc, loc, 8), one = pclookupIn(t, table.size, pc, loc + 7, 1);
    FUZZ_RULE(n >= 0 && n <= 8 && (n != 0) == (f.name != nullptr) && (n != 0) == (one != 0));
    n = pclookupIn(t, table.size, pc, loc, 8);
    for (int i = 0; i < n; i++) {
      rule(loc[i].func);
      rule(loc[i].file);
      FUZZ_RULE(loc[i].func != nullptr && loc[i].inlined == (i + 1 < n));
    }
  };
  ask(off);
  if (table.size < sizeof *t) {
    FUZZ_RULE(findfuncIn(t, table.size, off).name == nullptr);
    return;
  }
  for (std::uint32_t i = 0; i < 16 && t->funcs <= table.size && (i + 1) * sizeof(pclnfunc) <= table.size - t->funcs;
       i++) {
    pclnfunc f;
    std::memcpy(&f, table.begin() + t->funcs + i * sizeof f, sizeof f);
    for (std::uint32_t d : {0u, 1u, 0xffffffffu}) ask(f.pc + d);
  }
}
