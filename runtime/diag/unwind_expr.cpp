// DWARF expressions, as far as call frame information uses them: a machine with a stack of 16 words.
#include "runtime/diag/unwind_dwarf.h"

namespace runtime::dwarf {

uintptr evalExpr(const std::uint8_t* p, const unwinder& u, uintptr first, bool haveFirst, bool* ok) {
  std::uint64_t len = uleb(p);
  const std::uint8_t* end = p + len;
  uintptr st[16];
  int n = 0;
  if (haveFirst) st[n++] = first;
  *ok = false;
  while (p < end) {
    std::uint8_t op = *p++;
    if (n >= 15) return 0;
    if (op >= 0x30 && op <= 0x4f) {
      st[n++] = op - 0x30u;
    } else if (op >= 0x70 && op <= 0x80) {
      std::int64_t off = sleb(p);
      unsigned r = op - 0x70u;
      if (r > 16 || !(u.known & (1u << r))) return 0;
      st[n++] = u.regs.r[r] + static_cast<uintptr>(off);
    } else {
      auto need = [&](int k) { return n >= k; };
      switch (op) {
        case 0x03:
          st[n++] = fetch<std::uint64_t>(p);
          break;
        case 0x08:
          st[n++] = fetch<std::uint8_t>(p);
          break;
        case 0x09:
          st[n++] = static_cast<uintptr>(static_cast<std::int64_t>(fetch<std::int8_t>(p)));
          break;
        case 0x0a:
          st[n++] = fetch<std::uint16_t>(p);
          break;
        case 0x0b:
          st[n++] = static_cast<uintptr>(static_cast<std::int64_t>(fetch<std::int16_t>(p)));
          break;
        case 0x0c:
          st[n++] = fetch<std::uint32_t>(p);
          break;
        case 0x0d:
          st[n++] = static_cast<uintptr>(static_cast<std::int64_t>(fetch<std::int32_t>(p)));
          break;
        case 0x0e:
        case 0x0f:
          st[n++] = fetch<std::uint64_t>(p);
          break;
        case 0x10:
          st[n++] = uleb(p);
          break;
        case 0x11:
          st[n++] = static_cast<uintptr>(sleb(p));
          break;
        case 0x06:  // deref
          if (!need(1) || !u.b->has(st[n - 1], 8)) return 0;
          st[n - 1] = *reinterpret_cast<const uintptr*>(st[n - 1]);
          break;
        case 0x12:
          if (!need(1)) return 0;
          st[n] = st[n - 1];
          n++;
          break;
        case 0x13:
          if (!need(1)) return 0;
          n--;
          break;
        case 0x14:
          if (!need(2)) return 0;
          st[n] = st[n - 2];
          n++;
          break;
        case 0x16: {
          if (!need(2)) return 0;
          uintptr t = st[n - 1];
          st[n - 1] = st[n - 2];
          st[n - 2] = t;
          break;
        }
        case 0x1a:
          if (!need(2)) return 0;
          n--;
          st[n - 1] &= st[n];
          break;
        case 0x1c:
          if (!need(2)) return 0;
          n--;
          st[n - 1] -= st[n];
          break;
        case 0x1e:
          if (!need(2)) return 0;
          n--;
          st[n - 1] *= st[n];
          break;
        case 0x1f:
          if (!need(1)) return 0;
          st[n - 1] = -st[n - 1];
          break;
        case 0x20:
          if (!need(1)) return 0;
          st[n - 1] = ~st[n - 1];
          break;
        case 0x21:
          if (!need(2)) return 0;
          n--;
          st[n - 1] |= st[n];
          break;
        case 0x22:
          if (!need(2)) return 0;
          n--;
          st[n - 1] += st[n];
          break;
        case 0x23:
          if (!need(1)) return 0;
          st[n - 1] += uleb(p);
          break;
        case 0x24:
          if (!need(2)) return 0;
          n--;
          st[n - 1] <<= st[n] & 63;
          break;
        case 0x25:
          if (!need(2)) return 0;
          n--;
          st[n - 1] >>= st[n] & 63;
          break;
        case 0x27:
          if (!need(2)) return 0;
          n--;
          st[n - 1] ^= st[n];
          break;
        case 0x2a:
          if (!need(2)) return 0;
          n--;
          st[n - 1] = static_cast<std::int64_t>(st[n - 1]) >= static_cast<std::int64_t>(st[n]);
          break;
        case 0x29:
          if (!need(2)) return 0;
          n--;
          st[n - 1] = st[n - 1] == st[n];
          break;
        case 0x2e:
          if (!need(2)) return 0;
          n--;
          st[n - 1] = st[n - 1] != st[n];
          break;
        case 0x2f: {
          std::int16_t d = fetch<std::int16_t>(p);
          p += d;
          break;
        }
        case 0x28: {
          std::int16_t d = fetch<std::int16_t>(p);
          if (!need(1)) return 0;
          if (st[--n] != 0) p += d;
          break;
        }
        case 0x96:
          break;  // nop
        default:
          return 0;
      }
    }
  }
  if (n == 0) return 0;
  *ok = true;
  return st[n - 1];
}

}  // namespace runtime::dwarf
