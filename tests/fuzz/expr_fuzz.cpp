// DWARF expressions: any bytes, over any registers and any stack.
// SOURCES: runtime/diag/unwind_expr.cpp
#include "runtime/diag/unwind_dwarf.h"
#include "tests/fuzz/fuzz.h"

using namespace runtime;

FUZZ(expr) {
  auto flags = in.get<std::uint32_t>();
  auto stack = in.take(32);
  auto code = in.rest();
  auto lo = reinterpret_cast<uintptr>(stack.begin());
  stackbounds b{};
  b.add(lo, lo + stack.size);
  unwregs r;
  for (unsigned i = 0; i < 17; i++) r.r[i] = lo + i;
  unwinder u(r, b, true);
  u.known = flags;
  bool haveFirst = flags >> 31 != 0, ok = false, again = false;
  uintptr v = dwarf::evalExpr({code.begin(), code.size}, u, lo, haveFirst, &ok);
  FUZZ_RULE(ok || v == 0);
  // The value depends on nothing else.
  FUZZ_RULE(dwarf::evalExpr({code.begin(), code.size}, u, lo, haveFirst, &again) == v && again == ok);
}
