// Reader of the table of functions and lines; see symtab.h. It finds the function by halving, and walks its rows.
//
// The table is read while a program dies, maybe because something wrote over it: what makes no sense in it is unknown, and
// nothing outside of it is read.
#pragma GCC optimize("Os")  // runs once, or in a crash
#include "runtime/diag/symtab.h"

#include "runtime/base/cursor.h"

namespace runtime {

// Absent in the first of the two links, and in a program that was linked without scripts/pclntab.py.
extern const pclntab pcln __asm__("runtime.pclntab") __attribute__((weak));
extern const std::uint8_t epcln[] __asm__("runtime.epclntab") __attribute__((weak));

static const pclntab* table() {
  const pclntab* t = &pcln;
  __asm__("" : "+r"(t));  // more lies behind it than its type says
  return t;
}
// The linker's word: what the table says of its size may be damaged.
static std::uint64_t tableSize() { return reinterpret_cast<uintptr>(epcln) - reinterpret_cast<uintptr>(table()); }

namespace {

// A table that has been checked: its head, and that its fixed parts lie in it. Strings end in it, since its last byte is 0.
struct view {
  const pclntab* t;
  const std::uint8_t* base;
  std::uint64_t size;

  view(const pclntab* tab, std::uint64_t max) : t(nullptr), base(reinterpret_cast<const std::uint8_t*>(tab)), size(0) {
    if (tab == nullptr || max < sizeof *tab || tab->magic != kPclnMagic || tab->version != kPclnVersion) return;
    size = tab->size;
    auto fits = [&](std::uint64_t off, std::uint64_t n, std::uint64_t each) {
      return off % 4 == 0 && off + n * each <= size;
    };
    if (size > max || size < sizeof *tab || base[size - 1] != 0 || !fits(tab->funcs, tab->nfunc, sizeof(pclnfunc)) ||
        !fits(tab->names, tab->nname, 4) || !fits(tab->files, tab->nfile, 4))
      return;
    t = tab;
  }

  uintptr text() const { return reinterpret_cast<uintptr>(t) + static_cast<uintptr>(t->text); }
  cursor from(std::uint64_t off) const { return {base + (off < size ? off : size), base + size}; }
  const char* string(std::uint32_t off) const {
    std::uint64_t at = std::uint64_t{t->strings} + off;
    return at < size ? reinterpret_cast<const char*>(base + at) : "?";
  }
  const char* inlined(std::uint64_t i) const {
    if (i >= t->nname) return "?";
    return string(from(t->names + i * 4).get<std::uint32_t>());
  }
  const char* file(std::uint64_t i) const {
    if (i >= t->nfile) return nullptr;
    return string(from(t->files + i * 4).get<std::uint32_t>());
  }
  // The last is an end only, so there is one behind each that is found.
  const pclnfunc* funcAt(uintptr pc) const {
    if (t == nullptr || pc < text() || pc - text() > 0xffffffff) return nullptr;
    auto off = static_cast<std::uint32_t>(pc - text());
    auto f = reinterpret_cast<const pclnfunc*>(base + t->funcs);
    std::uint32_t lo = 0, hi = t->nfunc;
    while (lo < hi) {
      std::uint32_t mid = lo + (hi - lo) / 2;
      if (f[mid].pc <= off)
        lo = mid + 1;
      else
        hi = mid;
    }
    if (lo == 0 || lo == t->nfunc || f[lo - 1].name == 0) return nullptr;
    return f + lo - 1;
  }
};

std::uint64_t signedleb(cursor& p) {
  std::uint64_t v = p.uleb();
  return (v >> 1) ^ -(v & 1);
}

// What the last row at or before off (from the table's text) says: a place in locs, or with kFuncPlain a line in *file;
// 0 if there is none.
std::uint32_t placeAt(const view& v, const pclnfunc* f, std::uint32_t off, std::uint64_t* file) {
  std::uint32_t rows = f->rows & ~kFuncFlags;
  if (rows == 0) return 0;
  cursor p = v.from(std::uint64_t{v.t->rows} + rows);
  std::uint64_t pc = f->pc, n = p.uleb();
  if ((f->rows & kFuncPlain) != 0) *file = p.uleb();
  std::uint64_t loc = 0, found = 0;
  for (; n > 0; n--) {
    pc += p.uleb();
    loc += signedleb(p);
    if (pc > off || !p.ok) break;
    found = loc;
  }
  return static_cast<std::uint32_t>(found);
}

}  // namespace

LANDMARK funcinfo findfunc(uintptr pc) { return findfuncIn(table(), tableSize(), pc); }

funcinfo findfuncIn(const pclntab* t, std::uint64_t size, uintptr pc) {
  view v(t, size);
  const pclnfunc* f = v.funcAt(pc);
  if (f == nullptr) return {};
  return {v.string(f->name), v.text() + f->pc, f[1].pc - f->pc, (f->rows & kFuncHidden) != 0};
}

int pclookup(uintptr pc, funcloc* out, int n) { return pclookupIn(table(), tableSize(), pc, out, n); }

int pclookupIn(const pclntab* t, std::uint64_t size, uintptr pc, funcloc* out, int n) {
  view v(t, size);
  const pclnfunc* f = v.funcAt(pc);
  if (f == nullptr || n == 0) return 0;
  std::uint64_t plainFile = 0;
  std::uint32_t loc = placeAt(v, f, static_cast<std::uint32_t>(pc - v.text()), &plainFile);
  int k = 0;
  if ((f->rows & kFuncPlain) != 0 && loc != 0) {
    out[k++] = {nullptr, v.file(plainFile), static_cast<std::int32_t>(loc), false, false};
    loc = 0;
  }
  while (loc != 0 && k < n) {
    cursor p = v.from(std::uint64_t{v.t->locs} + loc);
    std::uint64_t name = p.uleb(), file = p.uleb();
    auto line = static_cast<std::int32_t>(p.uleb());
    std::uint64_t up = p.uleb();
    if (!p.ok) break;
    out[k++] = {v.inlined(name >> 1), v.file(file), line, true, (name & 1) != 0};
    loc = up != 0 && up < loc ? loc - static_cast<std::uint32_t>(up) : 0;
  }
  if (k == 0) out[k++] = {};
  out[k - 1].func = v.string(f->name);
  out[k - 1].inlined = false;
  out[k - 1].hidden = (f->rows & kFuncHidden) != 0;
  return k;
}

}  // namespace runtime
