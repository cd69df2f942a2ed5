// DWARF expressions, as far as call frame information uses them: a machine with a stack of 16 words.
//
// An expression can jump, backwards too, so it is a program that need not end; this one runs kMaxSteps operations. Those
// that linkers and assemblers write have a dozen.
#pragma GCC optimize("Os")  // runs once, or in a crash
#include "runtime/diag/unwind_dwarf.h"

namespace runtime::dwarf {

namespace {

constexpr int kMaxSteps = 1000, kDepth = 16;

using sword = std::int64_t;

// Operations with two operands, the upper one second; false for one that has no result or is none of these.
bool binary(std::uint8_t op, uintptr a, uintptr b, uintptr* out) {
  auto sa = static_cast<sword>(a), sb = static_cast<sword>(b);
  switch (op) {
    case 0x1a:
      *out = a & b;
      return true;
    case 0x1b:  // div, signed
      if (sb == 0 || (sb == -1 && sa == INT64_MIN)) return false;
      *out = static_cast<uintptr>(sa / sb);
      return true;
    case 0x1c:
      *out = a - b;
      return true;
    case 0x1d:  // mod, unsigned
      if (b == 0) return false;
      *out = a % b;
      return true;
    case 0x1e:
      *out = a * b;
      return true;
    case 0x21:
      *out = a | b;
      return true;
    case 0x22:
      *out = a + b;
      return true;
    case 0x24:
      *out = b < 64 ? a << b : 0;
      return true;
    case 0x25:
      *out = b < 64 ? a >> b : 0;
      return true;
    case 0x26:  // shra
      *out = static_cast<uintptr>(sa >> (b < 64 ? b : 63));
      return true;
    case 0x27:
      *out = a ^ b;
      return true;
    case 0x29:
      *out = a == b;
      return true;
    case 0x2a:
      *out = sa >= sb;
      return true;
    case 0x2b:
      *out = sa > sb;
      return true;
    case 0x2c:
      *out = sa <= sb;
      return true;
    case 0x2d:
      *out = sa < sb;
      return true;
    case 0x2e:
      *out = a != b;
      return true;
  }
  return false;
}

// A number that stands behind the operation; false if op is none of those.
bool constant(std::uint8_t op, cursor& p, uintptr* out) {
  switch (op) {
    case 0x08:
      *out = p.get<std::uint8_t>();
      return true;
    case 0x09:
      *out = static_cast<uintptr>(sword{p.get<std::int8_t>()});
      return true;
    case 0x0a:
      *out = p.get<std::uint16_t>();
      return true;
    case 0x0b:
      *out = static_cast<uintptr>(sword{p.get<std::int16_t>()});
      return true;
    case 0x0c:
      *out = p.get<std::uint32_t>();
      return true;
    case 0x0d:
      *out = static_cast<uintptr>(sword{p.get<std::int32_t>()});
      return true;
    case 0x03:  // addr
    case 0x0e:
    case 0x0f:
      *out = p.get<std::uint64_t>();
      return true;
    case 0x10:
      *out = p.uleb();
      return true;
    case 0x11:
      *out = static_cast<uintptr>(p.sleb());
      return true;
  }
  if (op < 0x30 || op > 0x4f) return false;
  *out = op - 0x30u;  // lit0 …
  return true;
}

// The n bytes at an address of a stack.
bool deref(const unwinder& u, uintptr at, std::uint8_t n, uintptr* out) {
  if (n == 0 || n > sizeof *out || !u.b->has(at, n)) return false;
  *out = 0;
  __builtin_memcpy(out, reinterpret_cast<const void*>(at), n);
  return true;
}

}  // namespace

uintptr evalExpr(cursor p, const unwinder& u, uintptr first, bool haveFirst, bool* ok) {
  const std::uint8_t* begin = p.p;
  uintptr st[kDepth];
  int n = 0;
  if (haveFirst) st[n++] = first;
  *ok = false;
  // A branch to anywhere in the expression, its end included.
  auto jump = [&](std::int16_t d) {
    if (d < begin - p.p || d > p.end - p.p) return false;
    p.p += d;
    return true;
  };
  for (int steps = 0; p.left() > 0; steps++) {
    if (steps == kMaxSteps || n == kDepth) return 0;
    std::uint8_t op = p.get<std::uint8_t>();
    if (constant(op, p, &st[n])) {
      n++;
    } else if (op >= 0x70 && op <= 0x80) {  // a register and an offset
      std::int64_t off = p.sleb();
      unsigned r = op - 0x70u;
      if (!(u.known & (1u << r))) return 0;
      st[n++] = u.regs.r[r] + static_cast<uintptr>(off);
    } else if (n >= 2 && binary(op, st[n - 2], st[n - 1], &st[n - 2])) {
      n--;
    } else {
      switch (op) {
        case 0x96:  // nop
          break;
        case 0x2f:  // skip
          if (!jump(p.get<std::int16_t>())) return 0;
          break;
        case 0x28: {  // bra
          auto d = p.get<std::int16_t>();
          if (n < 1 || (st[--n] != 0 && !jump(d))) return 0;
          break;
        }
        case 0x06:  // deref
          if (n < 1 || !deref(u, st[n - 1], 8, &st[n - 1])) return 0;
          break;
        case 0x94: {  // deref_size
          auto size = p.get<std::uint8_t>();
          if (n < 1 || !deref(u, st[n - 1], size, &st[n - 1])) return 0;
          break;
        }
        case 0x12:    // dup
        case 0x14:    // over
        case 0x15: {  // pick
          unsigned i = op == 0x12 ? 0 : op == 0x14 ? 1 : p.get<std::uint8_t>();
          if (i >= static_cast<unsigned>(n)) return 0;
          st[n] = st[n - 1 - static_cast<int>(i)];
          n++;
          break;
        }
        case 0x13:  // drop
          if (n < 1) return 0;
          n--;
          break;
        case 0x16: {  // swap
          if (n < 2) return 0;
          uintptr t = st[n - 1];
          st[n - 1] = st[n - 2];
          st[n - 2] = t;
          break;
        }
        case 0x17: {  // rot: the upper one goes below the next two
          if (n < 3) return 0;
          uintptr t = st[n - 1];
          st[n - 1] = st[n - 2];
          st[n - 2] = st[n - 3];
          st[n - 3] = t;
          break;
        }
        case 0x19:  // abs
          if (n < 1) return 0;
          if (static_cast<sword>(st[n - 1]) < 0) st[n - 1] = -st[n - 1];
          break;
        case 0x1f:  // neg
          if (n < 1) return 0;
          st[n - 1] = -st[n - 1];
          break;
        case 0x20:  // not
          if (n < 1) return 0;
          st[n - 1] = ~st[n - 1];
          break;
        case 0x23:  // plus_uconst
          if (n < 1) return 0;
          st[n - 1] += p.uleb();
          break;
        default:
          return 0;
      }
    }
  }
  if (n == 0 || !p.ok) return 0;
  *ok = true;
  return st[n - 1];
}

}  // namespace runtime::dwarf
