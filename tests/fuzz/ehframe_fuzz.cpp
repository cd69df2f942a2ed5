// The CFI interpreter: a walk by any tables over any stack.
//
// Input: the stack's size in words and bits of which registers are known, the stack, where the walk starts (counted from
// the tables), the size of .eh_frame_hdr, and the tables.
// SOURCES: runtime/diag/unwind.cpp runtime/diag/unwind_cfi.cpp runtime/diag/unwind_expr.cpp
#include "runtime/diag/unwind_dwarf.h"
#include "tests/fuzz/fuzz.h"

using namespace runtime;
using namespace runtime::dwarf;

FUZZ(ehframe) {
  std::size_t words = in.get<std::uint8_t>() % 32;
  auto known = in.get<std::uint32_t>();
  auto stack = in.take(words * 8);
  auto off = in.get<std::int32_t>();
  auto hdrSize = in.get<std::uint16_t>();
  auto blob = in.rest();
  if (hdrSize > blob.size) hdrSize = static_cast<std::uint16_t>(blob.size);
  ehTables t{blob.begin(), blob.begin() + hdrSize, blob.begin() + hdrSize, blob.end()};

  auto lo = reinterpret_cast<uintptr>(stack.begin());
  stackbounds b{};
  b.add(lo, lo + stack.size);
  unwregs r;
  for (unsigned i = 0; i < 17; i++) r.r[i] = lo + i * 8;
  r.r[kRip] = reinterpret_cast<uintptr>(t.hdr) + static_cast<uintptr>(std::int64_t{off});
  r.r[kRsp] = lo;
  r.r[kRbp] = lo + 16;

  // What was found is in the tables, and the search is right wherever its table is sorted.
  if (const std::uint8_t* fde = findFDE(t, r.r[kRip])) {
    row cur;
    cie c;
    if (findRow(t, fde, r.r[kRip], &cur, &c) == found::yes) {
      FUZZ_RULE(fde >= t.lo && fde < t.hi && c.insns >= t.lo && c.end <= t.hi);
      for (const rule& ru : cur.r)
        if (ru.kind == kExpr || ru.kind == kValExpr)
          FUZZ_RULE(ru.expr >= t.lo && ru.expr <= t.hi && ru.val >= 0 && ru.val <= t.hi - ru.expr);
    }
  }
  unwinder u(r, b, true);
  u.known = known | 1u << kRip | 1u << kRsp;
  for (int i = 0; i < 50; i++) {
    uintptr pc = u.regs.r[kRip], sp = u.regs.r[kRsp];
    if (!u.stepBy(&t)) break;
    FUZZ_RULE(u.regs.r[kRip] != 0 && (u.regs.r[kRip] != pc || u.regs.r[kRsp] != sp));
    // A walk leads out of the tables at once, unless the stack knows an address in them; they are told apart by offsets.
    if (u.regs.r[kRip] < 0x10000) u.regs.r[kRip] += reinterpret_cast<uintptr>(t.hdr);
  }
}
