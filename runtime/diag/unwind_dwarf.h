// The parts of the CFI interpreter (unwind.h) as they see each other: where tables lie (unwind_tables.cpp), what they say
// (unwind_cfi.cpp), expressions (unwind_expr.cpp), and the step to the caller (unwind.cpp).
//
// Neither the tables nor the addresses of stacks that they lead to are believed: a table is read through a cursor, a stack
// through the walk's bounds. What makes no sense ends the walk.
#pragma once

#include "runtime/base/cursor.h"
#include "runtime/base/symtab.h"
#include "runtime/diag/unwind.h"

namespace runtime::dwarf {

enum : std::uint8_t { kSame, kUndef, kOffset, kValOffset, kReg, kExpr, kValExpr };

struct rule {
  std::uint8_t kind;
  std::int64_t val;          // offset, register, or the length of the expression
  const std::uint8_t* expr;  // for kExpr, kValExpr
};

struct row {
  rule r[17];
  std::uint64_t cfaReg;
  std::int64_t cfaOff;
  const std::uint8_t* cfaExpr;  // not null: overrides cfaReg and cfaOff
  std::uint64_t cfaExprLen;
};

struct cie {
  std::uint64_t codeAlign;
  std::int64_t dataAlign;
  std::uint64_t raReg;
  std::uint8_t fdeEnc;
  bool augmented, signalFrame;
  const std::uint8_t *insns, *end;
};

// The FDE that may describe pc, by halving the header's table; null if there is none.
const std::uint8_t* findFDE(const ehTables& t, uintptr pc);
// How to get from the frame at pc to its caller: what the FDE at `fde` and its CIE say.
enum class found { no, otherPC, yes };
found findRow(const ehTables& t, const std::uint8_t* fde, uintptr pc, row* out, cie* c);
// The CIE at `at`. False for one that is not understood.
bool parseCIE(const ehTables& t, const std::uint8_t* at, cie* c);
// Runs a CFI program until its location passes pc. initial: what its restores restore to.
bool runCFI(cursor p, const cie& c, uintptr loc, uintptr pc, row* cur, const row* initial);
// A DWARF expression over the frame's registers; *ok is false for what it cannot compute or may not read.
uintptr evalExpr(cursor p, const unwinder& u, uintptr first, bool haveFirst, bool* ok);

// A pointer in one of the encodings of DW_EH_PE_*.
inline uintptr encoded(cursor& p, std::uint8_t enc, uintptr dataBase) {
  if (enc == 0xff) return 0;
  uintptr at = reinterpret_cast<uintptr>(p.p), v = 0;
  switch (enc & 0x0f) {
    case 0x01:
      v = p.uleb();
      break;
    case 0x02:
      v = p.get<std::uint16_t>();
      break;
    case 0x03:
      v = p.get<std::uint32_t>();
      break;
    case 0x09:
      v = static_cast<uintptr>(p.sleb());
      break;
    case 0x0a:
      v = static_cast<uintptr>(std::int64_t{p.get<std::int16_t>()});
      break;
    case 0x0b:
      v = static_cast<uintptr>(std::int64_t{p.get<std::int32_t>()});
      break;
    default:
      v = p.get<std::uint64_t>();
      break;  // 0x00 absptr, 0x04 udata8, 0x0c sdata8
  }
  if (v == 0) return 0;
  if ((enc & 0x70) == 0x10) v += at;
  if ((enc & 0x70) == 0x30) v += dataBase;
  return v;  // an indirect one is a personality's address, which nobody here needs
}

}  // namespace runtime::dwarf
