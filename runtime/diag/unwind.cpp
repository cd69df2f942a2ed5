// The step from a frame to its caller; see unwind.h.
#include "runtime/diag/unwind_dwarf.h"

namespace runtime {

using namespace dwarf;

static uintptr word(uintptr at) {
  uintptr v;
  __builtin_memcpy(&v, reinterpret_cast<const void*>(at), sizeof v);
  return v;
}

// Without CFI (foreign assembly) the frame pointer is a guess that holds as often as not; it must at least lead
// upwards.
static bool stepByFramePointer(unwinder& u) {
  uintptr bp = u.regs.r[kRbp];
  if (!(u.known & (1u << kRbp)) || bp < u.regs.r[kRsp] || (bp & 7) != 0 || !u.b->has(bp, 16)) return false;
  u.cfa = bp + 16;
  u.regs.r[kRip] = reinterpret_cast<const uintptr*>(bp)[1];
  u.regs.r[kRbp] = reinterpret_cast<const uintptr*>(bp)[0];
  u.regs.r[kRsp] = u.cfa;
  u.known = (1u << kRip) | (1u << kRbp) | (1u << kRsp);
  u.exact = false;
  return u.regs.r[kRip] != 0;
}

bool unwinder::stepBy(const ehTables* t) {
  uintptr pc = lookuppc();
  const std::uint8_t* fde = t != nullptr ? findFDE(*t, pc) : nullptr;
  if (fde == nullptr) return stepByFramePointer(*this);
  row cur;
  cie c;
  switch (findRow(*t, fde, pc, &cur, &c)) {
    case found::no:
      return false;
    case found::otherPC:
      return stepByFramePointer(*this);
    case found::yes:
      break;
  }

  bool ok = true;
  uintptr newCfa;
  if (cur.cfaExpr != nullptr) {
    newCfa = evalExpr({cur.cfaExpr, cur.cfaExprLen}, *this, 0, false, &ok);
    if (!ok) return false;
  } else {
    if (cur.cfaReg > 16 || !(known & (1u << cur.cfaReg))) return false;
    newCfa = regs.r[cur.cfaReg] + static_cast<uintptr>(cur.cfaOff);
  }
  if (c.raReg > 16 || cur.r[c.raReg].kind == kUndef || cur.r[c.raReg].kind == kSame) return false;  // the root
  unwregs nr = regs;
  std::uint32_t nk = known;
  nr.r[kRsp] = newCfa;
  nk |= 1u << kRsp;
  for (unsigned i = 0; i < 17; i++) {
    const rule& ru = cur.r[i];
    std::uint32_t bit = 1u << i;
    switch (ru.kind) {
      case kSame:
        continue;
      case kUndef:
        nk &= ~bit;
        continue;
      case kOffset: {
        uintptr at = newCfa + static_cast<uintptr>(ru.val);
        if (!b->has(at, 8)) return false;
        nr.r[i] = word(at);
        break;
      }
      case kValOffset:
        nr.r[i] = newCfa + static_cast<uintptr>(ru.val);
        break;
      case kReg:
        if (ru.val < 0 || ru.val > 16 || !(known & (1u << ru.val))) {
          nk &= ~bit;
          continue;
        }
        nr.r[i] = regs.r[ru.val];
        break;
      default: {
        uintptr v = evalExpr({ru.expr, static_cast<std::uint64_t>(ru.val)}, *this, newCfa, true, &ok);
        if (!ok) return false;
        if (ru.kind == kExpr) {
          if (!b->has(v, 8)) return false;
          v = word(v);
        }
        nr.r[i] = v;
      }
    }
    nk |= bit;
  }
  bool stuck = nr.r[kRip] == regs.r[kRip] && nr.r[kRsp] == regs.r[kRsp];
  exact = c.signalFrame;
  regs = nr;
  known = nk;
  cfa = newCfa;
  if (c.raReg != kRip) regs.r[kRip] = nr.r[c.raReg];
  return !stuck && regs.r[kRip] != 0;
}

}  // namespace runtime
