// Call frame information: its tables and its programs.
//
// The tables: .eh_frame_hdr is a sorted array of (start pc, address of its FDE), searched by halving. An FDE describes
// one function and refers to a CIE with what many have in common. Both hold programs of a little machine that, run up
// to a pc, say where the caller's registers are: at an offset from the canonical frame address (the caller's rsp), in
// another register, or at an address that a DWARF expression computes.
//
// Nothing here is global: the bytes are the caller's, so that tests can give any.
#include "runtime/diag/unwind_dwarf.h"

namespace runtime::dwarf {

const std::uint8_t* findFDE(const ehTables& t, uintptr pc) {
  cursor p(t.hdr, t.hdrEnd);
  auto version = p.get<std::uint8_t>(), ptrEnc = p.get<std::uint8_t>(), countEnc = p.get<std::uint8_t>(),
       tableEnc = p.get<std::uint8_t>();
  if (version != 1 || tableEnc != 0x3b) return nullptr;  // the table: datarel | sdata4
  uintptr base = reinterpret_cast<uintptr>(t.hdr);
  encoded(p, ptrEnc, base);
  std::uint64_t n = encoded(p, countEnc, base);
  struct entry {
    std::int32_t pc, fde;
  };
  if (!p.ok || n > p.left() / sizeof(entry)) return nullptr;
  auto entryAt = [&](std::uint64_t i) {
    entry e;
    __builtin_memcpy(&e, p.p + i * sizeof e, sizeof e);
    return e;
  };
  auto want = static_cast<std::int64_t>(pc - base);
  std::uint64_t lo = 0, hi = n;  // the last entry with e.pc <= want is in [lo-1, hi-1]
  while (lo < hi) {
    std::uint64_t mid = (lo + hi) / 2;
    if (entryAt(mid).pc <= want)
      lo = mid + 1;
    else
      hi = mid;
  }
  if (lo == 0) return nullptr;
  return reinterpret_cast<const std::uint8_t*>(base + static_cast<uintptr>(std::int64_t{entryAt(lo - 1).fde}));
}

// The record at `at`: what its length counts, the length itself being read. Empty for the end mark, for the 64-bit form
// that nobody writes, and for what lies outside of the tables.
static cursor recordAt(const ehTables& t, const std::uint8_t* at) {
  auto a = reinterpret_cast<uintptr>(at), lo = reinterpret_cast<uintptr>(t.lo), hi = reinterpret_cast<uintptr>(t.hi);
  if (a < lo || a >= hi) return {nullptr, nullptr};
  cursor p(at, t.hi);
  auto len = p.get<std::uint32_t>();
  cursor r = p.take(len == 0xffffffff ? 0 : len);
  return r.ok ? r : cursor(nullptr, nullptr);
}

bool parseCIE(const ehTables& t, const std::uint8_t* at, cie* c) {
  cursor p = recordAt(t, at);
  c->end = p.end;
  if (p.get<std::uint32_t>() != 0 || !p.ok) return false;  // the id that tells a CIE from an FDE
  auto version = p.get<std::uint8_t>();
  const std::uint8_t* aug = p.p;
  while (p.get<std::uint8_t>() != 0) {}
  if (!p.ok) return false;
  c->codeAlign = p.uleb();
  c->dataAlign = p.sleb();
  c->raReg = version == 1 ? p.get<std::uint8_t>() : p.uleb();
  c->fdeEnc = 0;
  c->signalFrame = false;
  c->augmented = aug[0] == 'z';
  if (c->augmented) {
    cursor q = p.take(p.uleb());
    for (const std::uint8_t* a = aug + 1; *a != 0; a++) {
      if (*a == 'R')
        c->fdeEnc = q.get<std::uint8_t>();
      else if (*a == 'L')
        q.get<std::uint8_t>();
      else if (*a == 'S')
        c->signalFrame = true;
      else if (*a == 'P') {
        auto enc = q.get<std::uint8_t>();
        encoded(q, enc, 0);
      } else
        break;
    }
    if (!q.ok) return false;
  } else if (aug[0] != 0) {
    return false;
  }
  c->insns = p.p;
  return p.ok;
}

// A factored offset. Damaged tables may have any, so it wraps.
static std::int64_t times(std::uint64_t n, std::int64_t factor) {
  return static_cast<std::int64_t>(n * static_cast<std::uint64_t>(factor));
}

bool runCFI(cursor p, const cie& c, uintptr loc, uintptr pc, row* to, const row* initial) {
  row& cur = *to;
  row saved[4];
  int depth = 0;
  auto put = [&](std::uint64_t reg, std::uint8_t kind, std::int64_t v) {
    if (reg < 17) cur.r[reg] = {kind, v, nullptr};
  };
  auto restore = [&](std::uint64_t reg) {
    if (reg < 17) cur.r[reg] = initial != nullptr ? initial->r[reg] : rule{kSame, 0, nullptr};
  };
  while (p.left() > 0) {
    auto op = p.get<std::uint8_t>();
    std::uint64_t a = op & 0x3f;
    std::uint64_t advance = 0;
    switch (op & 0xc0) {
      case 0x40:
        advance = a * c.codeAlign;
        break;
      case 0x80:
        put(a, kOffset, times(p.uleb(), c.dataAlign));
        continue;
      case 0xc0:
        restore(a);
        continue;
      default:
        break;
    }
    if ((op & 0xc0) == 0) {
      switch (op) {
        case 0x00:
          continue;
        case 0x01: {
          loc = encoded(p, c.fdeEnc, 0);
          if (loc > pc) return p.ok;
          continue;
        }
        case 0x02:
          advance = p.get<std::uint8_t>() * c.codeAlign;
          break;
        case 0x03:
          advance = p.get<std::uint16_t>() * c.codeAlign;
          break;
        case 0x04:
          advance = p.get<std::uint32_t>() * c.codeAlign;
          break;
        case 0x05:
          a = p.uleb();
          put(a, kOffset, times(p.uleb(), c.dataAlign));
          continue;
        case 0x06:
          restore(p.uleb());
          continue;
        case 0x07:
          put(p.uleb(), kUndef, 0);
          continue;
        case 0x08:
          put(p.uleb(), kSame, 0);
          continue;
        case 0x09:
          a = p.uleb();
          put(a, kReg, static_cast<std::int64_t>(p.uleb()));
          continue;
        case 0x0a:
          if (depth == 4) return false;
          saved[depth++] = cur;
          continue;
        case 0x0b:
          if (depth == 0) return false;
          cur = saved[--depth];
          continue;
        case 0x0c:
          cur.cfaReg = p.uleb();
          cur.cfaOff = static_cast<std::int64_t>(p.uleb());
          cur.cfaExpr = nullptr;
          continue;
        case 0x0d:
          cur.cfaReg = p.uleb();
          cur.cfaExpr = nullptr;
          continue;
        case 0x0e:
          cur.cfaOff = static_cast<std::int64_t>(p.uleb());
          continue;
        case 0x0f:
          cur.cfaExprLen = p.uleb();
          cur.cfaExpr = p.p;
          p.skip(cur.cfaExprLen);
          continue;
        case 0x10:
        case 0x16: {
          a = p.uleb();
          cursor e = p.take(p.uleb());
          if (a < 17) cur.r[a] = {op == 0x10 ? kExpr : kValExpr, static_cast<std::int64_t>(e.left()), e.p};
          continue;
        }
        case 0x11:
          a = p.uleb();
          put(a, kOffset, times(static_cast<std::uint64_t>(p.sleb()), c.dataAlign));
          continue;
        case 0x12:
          cur.cfaReg = p.uleb();
          cur.cfaOff = times(static_cast<std::uint64_t>(p.sleb()), c.dataAlign);
          cur.cfaExpr = nullptr;
          continue;
        case 0x13:
          cur.cfaOff = times(static_cast<std::uint64_t>(p.sleb()), c.dataAlign);
          continue;
        case 0x14:
          a = p.uleb();
          put(a, kValOffset, times(p.uleb(), c.dataAlign));
          continue;
        case 0x15:
          a = p.uleb();
          put(a, kValOffset, times(static_cast<std::uint64_t>(p.sleb()), c.dataAlign));
          continue;
        case 0x2e:
          p.uleb();
          continue;  // GNU_args_size
        case 0x2f:
          a = p.uleb();
          put(a, kOffset, times(-p.uleb(), c.dataAlign));
          continue;
        default:
          return false;
      }
    }
    loc += advance;
    if (loc > pc) break;
  }
  return p.ok;
}

found findRow(const ehTables& t, const std::uint8_t* fde, uintptr pc, row* out, cie* c) {
  cursor p = recordAt(t, fde);
  uintptr cieAt = reinterpret_cast<uintptr>(p.p);
  cieAt -= p.get<std::uint32_t>();
  if (!p.ok || !parseCIE(t, reinterpret_cast<const std::uint8_t*>(cieAt), c)) return found::no;
  uintptr start = encoded(p, c->fdeEnc, 0);
  uintptr size = encoded(p, c->fdeEnc & 0x0f, 0);
  if (c->augmented) p.skip(p.uleb());
  if (!p.ok) return found::no;
  if (pc - start >= size) return found::otherPC;
  row initial;
  *out = {};
  if (!runCFI({c->insns, c->end}, *c, start, ~uintptr{0}, out, nullptr)) return found::no;
  initial = *out;
  return runCFI(p, *c, start, pc, out, &initial) ? found::yes : found::no;
}

}  // namespace runtime::dwarf
