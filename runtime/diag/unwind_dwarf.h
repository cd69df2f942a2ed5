// The parts of the CFI interpreter (unwind.h) as they see each other: tables (unwind_cfi.cpp), expressions
// (unwind_expr.cpp), and the step to the caller (unwind.cpp).
//
// The tables are the linker's and are believed; addresses of stacks that they lead to are not.
#pragma once

#include "runtime/diag/unwind.h"

namespace runtime::dwarf {

enum : std::uint8_t { kSame, kUndef, kOffset, kValOffset, kReg, kExpr, kValExpr };

struct rule {
  std::uint8_t kind;
  std::int64_t val;          // offset or register
  const std::uint8_t* expr;  // for kExpr, kValExpr: ULEB length, then the operations
};

struct row {
  rule r[17];
  std::uint64_t cfaReg;
  std::int64_t cfaOff;
  const std::uint8_t* cfaExpr;  // not null: overrides cfaReg and cfaOff
};

struct cie {
  std::uint64_t codeAlign;
  std::int64_t dataAlign;
  std::uint64_t raReg;
  std::uint8_t fdeEnc;
  bool augmented, signalFrame;
  const std::uint8_t *insns, *end;
};

// The FDE of the function that may contain pc; null if no table known has one.
const std::uint8_t* findFDE(uintptr pc);
// p is behind the length of the CIE. False for one that is not understood.
bool parseCIE(const std::uint8_t* p, cie& c);
// Runs a CFI program until its location passes pc. initial: what its restores restore to.
bool runCFI(const std::uint8_t* p, const std::uint8_t* end, const cie& c, uintptr loc, uintptr pc, row& cur,
            const row* initial);
// A DWARF expression over the frame's registers; *ok is false for what it cannot compute or may not read.
uintptr evalExpr(const std::uint8_t* p, const unwinder& u, uintptr first, bool haveFirst, bool* ok);

inline std::uint64_t uleb(const std::uint8_t*& p) {
  std::uint64_t v = 0;
  for (unsigned s = 0;; s += 7) {
    std::uint8_t c = *p++;
    if (s < 64) v |= static_cast<std::uint64_t>(c & 0x7f) << s;
    if (!(c & 0x80)) return v;
  }
}

inline std::int64_t sleb(const std::uint8_t*& p) {
  std::uint64_t v = 0;
  unsigned s = 0;
  std::uint8_t c;
  do {
    c = *p++;
    if (s < 64) v |= static_cast<std::uint64_t>(c & 0x7f) << s;
    s += 7;
  } while (c & 0x80);
  if (s < 64 && (c & 0x40)) v |= ~std::uint64_t{0} << s;
  return static_cast<std::int64_t>(v);
}

template <class T>
T fetch(const std::uint8_t*& p) {
  T v;
  __builtin_memcpy(&v, p, sizeof v);
  p += sizeof v;
  return v;
}

// A pointer in one of the encodings of DW_EH_PE_*.
inline uintptr encoded(const std::uint8_t*& p, std::uint8_t enc, uintptr dataBase) {
  if (enc == 0xff) return 0;
  uintptr at = reinterpret_cast<uintptr>(p), v = 0;
  switch (enc & 0x0f) {
    case 0x01:
      v = uleb(p);
      break;
    case 0x02:
      v = fetch<std::uint16_t>(p);
      break;
    case 0x03:
      v = fetch<std::uint32_t>(p);
      break;
    case 0x09:
      v = static_cast<uintptr>(sleb(p));
      break;
    case 0x0a:
      v = static_cast<uintptr>(static_cast<std::int64_t>(fetch<std::int16_t>(p)));
      break;
    case 0x0b:
      v = static_cast<uintptr>(static_cast<std::int64_t>(fetch<std::int32_t>(p)));
      break;
    default:
      v = fetch<std::uint64_t>(p);
      break;  // 0x00 absptr, 0x04 udata8, 0x0c sdata8
  }
  if (v == 0) return 0;
  if ((enc & 0x70) == 0x10) v += at;
  if ((enc & 0x70) == 0x30) v += dataBase;
  return v;  // an indirect one is a personality's address, which nobody here needs
}

}  // namespace runtime::dwarf
