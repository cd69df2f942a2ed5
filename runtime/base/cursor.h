// Reading a table of bytes from front to back, and never outside of it.
//
// Owns: the numbers of variable length that DWARF and the table of lines are made of. Tables come from linkers and from
// files that somebody may have damaged, and they are read while a program dies: nothing in them may lead a reader astray.
//
// Invariant: p <= end. The first read that would pass the end sets p to end and ok to false, and gives 0, as do all reads
// after it; so a reader may look at ok once, when it is done, and its loops end with the bytes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace runtime {

struct cursor {
  const std::uint8_t* p;
  const std::uint8_t* end;
  bool ok = true;

  cursor(const std::uint8_t* from, const std::uint8_t* to) : p(from), end(to) {}
  cursor(const std::uint8_t* from, std::size_t n) : p(from), end(from + n) {}

  std::uint64_t left() const { return static_cast<std::uint64_t>(end - p); }

  bool skip(std::uint64_t n) {
    if (n > left()) {
      p = end;
      ok = false;
      return false;
    }
    p += n;
    return true;
  }

  // The next n bytes as a table of their own; this one goes on behind them.
  cursor take(std::uint64_t n) {
    const std::uint8_t* from = p;
    skip(n);
    cursor c(from, p);
    c.ok = ok;
    return c;
  }

  template <class T>
  T get() {
    T v{};
    const std::uint8_t* from = p;
    if (skip(sizeof v)) __builtin_memcpy(&v, from, sizeof v);
    return v;
  }

  // Seven bits a byte, low ones first. Bits above the 64th are dropped.
  std::uint64_t uleb() {
    unsigned shift;
    return leb(&shift);
  }

  // The same with the last byte's bit 6 as its sign.
  std::int64_t sleb() {
    unsigned shift;
    const std::uint8_t* from = p;
    std::uint64_t v = leb(&shift);
    if (p != from && shift < 64 && (p[-1] & 0x40) != 0) v |= ~std::uint64_t{0} << shift;
    return static_cast<std::int64_t>(v);
  }

 private:
  std::uint64_t leb(unsigned* bits) {
    std::uint64_t v = 0;
    unsigned shift = 0;
    std::uint8_t b;
    do {
      b = get<std::uint8_t>();
      if (shift < 64) v |= static_cast<std::uint64_t>(b & 0x7f) << shift;
      shift += 7;
    } while ((b & 0x80) != 0);
    *bits = shift;
    return ok ? v : 0;
  }
};

}  // namespace runtime
