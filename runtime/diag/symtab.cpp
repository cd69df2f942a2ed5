// Reader of the table of functions and lines; see symtab.h. It finds the function by halving, and walks its rows.
#include "runtime/diag/symtab.h"

#include "runtime/base/print.h"

namespace runtime {

// Absent in the first of the two links, and in a program that was linked without scripts/pclntab.py.
extern const pclntab pcln __asm__("runtime.pclntab") [[gnu::weak]];

static const pclntab* table() {
  const pclntab* t = &pcln;
  __asm__("" : "+r"(t));  // more lies behind it than its type says
  if (t == nullptr || t->magic != kPclnMagic || t->version != kPclnVersion) return nullptr;
  return t;
}

template <class T>
static const T* at(const pclntab* t, std::uint32_t off) {
  return reinterpret_cast<const T*>(reinterpret_cast<const char*>(t) + off);
}

static uintptr textOf(const pclntab* t) { return reinterpret_cast<uintptr>(t) + static_cast<uintptr>(t->text); }

static std::uint64_t leb(const std::uint8_t*& p) {
  std::uint64_t v = 0;
  for (unsigned shift = 0;; shift += 7) {
    std::uint8_t b = *p++;
    v |= static_cast<std::uint64_t>(b & 0x7f) << shift;
    if (b < 0x80) return v;
  }
}

static std::int64_t signedleb(const std::uint8_t*& p) {
  std::uint64_t v = leb(p);
  return static_cast<std::int64_t>(v >> 1) ^ -static_cast<std::int64_t>(v & 1);
}

static const pclnfunc* funcAt(const pclntab* t, uintptr pc) {
  if (t == nullptr || pc < textOf(t) || pc - textOf(t) > 0xffffffff) return nullptr;
  auto off = static_cast<std::uint32_t>(pc - textOf(t));
  const pclnfunc* f = at<pclnfunc>(t, t->funcs);
  std::uint32_t lo = 0, hi = t->nfunc;
  while (lo < hi) {
    std::uint32_t mid = (lo + hi) / 2;
    if (f[mid].pc <= off)
      lo = mid + 1;
    else
      hi = mid;
  }
  if (lo == 0) return nullptr;
  f += lo - 1;
  return f->name != 0 ? f : nullptr;
}

LANDMARK funcinfo findfunc(uintptr pc) {
  const pclntab* t = table();
  const pclnfunc* f = funcAt(t, pc);
  if (f == nullptr) return {};
  return {at<char>(t, t->strings + f->name), textOf(t) + f->pc, f[1].pc - f->pc, (f->rows & kFuncHidden) != 0};
}

// What the last row at or before off (from the table's text) says: a place in locs, or with kFuncPlain a line in *file;
// 0 if there is none.
static std::uint32_t placeAt(const pclntab* t, const pclnfunc* f, std::uint32_t off, std::uint32_t* file) {
  std::uint32_t rows = f->rows & ~kFuncFlags;
  if (rows == 0) return 0;
  const std::uint8_t* p = at<std::uint8_t>(t, t->rows + rows);
  std::uint64_t pc = f->pc, n = leb(p);
  if ((f->rows & kFuncPlain) != 0) *file = static_cast<std::uint32_t>(leb(p));
  std::int64_t loc = 0, found = 0;
  for (; n > 0; n--) {
    pc += leb(p);
    loc += signedleb(p);
    if (pc > off) break;
    found = loc;
  }
  return static_cast<std::uint32_t>(found);
}

int pclookup(uintptr pc, funcloc* out, int n) {
  const pclntab* t = table();
  const pclnfunc* f = funcAt(t, pc);
  if (f == nullptr || n == 0) return 0;
  auto string = [&](std::uint32_t o) { return at<char>(t, t->strings + o); };
  auto filename = [&](std::uint32_t i) { return string(at<std::uint32_t>(t, t->files)[i]); };
  std::uint32_t plainFile = 0;
  std::uint32_t loc = placeAt(t, f, static_cast<std::uint32_t>(pc - textOf(t)), &plainFile);
  int k = 0;
  if ((f->rows & kFuncPlain) != 0 && loc != 0) {
    out[k++] = {nullptr, filename(plainFile), static_cast<std::int32_t>(loc), false, false};
    loc = 0;
  }
  while (loc != 0 && k < n) {
    const std::uint8_t* p = at<std::uint8_t>(t, t->locs + loc);
    auto name = static_cast<std::uint32_t>(leb(p));
    auto file = static_cast<std::uint32_t>(leb(p));
    auto line = static_cast<std::int32_t>(leb(p));
    auto up = static_cast<std::uint32_t>(leb(p));
    out[k++] = {string(at<std::uint32_t>(t, t->names)[name >> 1]), filename(file), line, true, (name & 1) != 0};
    loc = up != 0 ? loc - up : 0;
  }
  if (k == 0) out[k++] = {};
  out[k - 1].func = string(f->name);
  out[k - 1].inlined = false;
  out[k - 1].hidden = (f->rows & kFuncHidden) != 0;
  return k;
}

}  // namespace runtime
