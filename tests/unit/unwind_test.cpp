// The CFI interpreter on made-up tables: expressions, CFI programs, the tables' search and a walk, each against a plain
// model; and what is damaged ends.
// SOURCES: runtime/diag/unwind.cpp runtime/diag/unwind_cfi.cpp runtime/diag/unwind_expr.cpp
#include <algorithm>
#include <cstring>
#include <map>
#include <random>
#include <vector>

#include "runtime/diag/unwind_dwarf.h"
#include "tests/unit/catch.h"

using namespace runtime;
using namespace runtime::dwarf;

namespace {

using bytes = std::vector<std::uint8_t>;
using word = std::uint64_t;
using sword = std::int64_t;

std::mt19937_64 rnd(7);
word below(word n) { return rnd() % n; }

void uleb(bytes& b, word v) {
  do {
    b.push_back(static_cast<std::uint8_t>((v & 0x7f) | (v > 0x7f ? 0x80 : 0)));
    v >>= 7;
  } while (v != 0);
}
void sleb(bytes& b, sword v) {
  for (bool more = true; more;) {
    std::uint8_t c = v & 0x7f;
    v >>= 7;
    more = !((v == 0 && (c & 0x40) == 0) || (v == -1 && (c & 0x40) != 0));
    b.push_back(static_cast<std::uint8_t>(c | (more ? 0x80 : 0)));
  }
}
template <class T>
void raw(bytes& b, T v) {
  std::uint8_t x[sizeof v];
  std::memcpy(x, &v, sizeof v);
  b.insert(b.end(), x, x + sizeof v);
}

// A frame to evaluate in: a stack of 8 words, and registers that may be unknown.
struct frame {
  word mem[8];
  stackbounds bounds{};
  unwregs regs{};
  unwinder u;
  frame() : u(regs, bounds, false) {
    for (word& m : mem) m = rnd();
    for (word& r : u.regs.r) r = rnd();
    auto lo = reinterpret_cast<uintptr>(mem);
    bounds.add(lo, lo + sizeof mem);
  }
  frame(const frame&) = delete;
};

struct result {
  bool ok;
  word value;
  bool operator==(const result& o) const { return ok == o.ok && (!ok || value == o.value); }
};
std::ostream& operator<<(std::ostream& o, const result& r) { return o << (r.ok ? "" : "not ok, ") << r.value; }

result eval(const bytes& e, const frame& f) {
  bytes exact(e);  // so that a sanitizer sees a read behind it
  bool ok = false;
  word v = evalExpr({exact.data(), exact.size()}, f.u, 0, false, &ok);
  return {ok, v};
}

// Writes a random operation to e and does it on st, as the DWARF standard says it; false when it can't be done.
bool randomOp(bytes& e, std::vector<word>& st, const frame& f) {
  auto pop = [&] {
    word v = st.back();
    st.pop_back();
    return v;
  };
  switch (below(12)) {
    case 0: {
      word n = below(32);
      e.push_back(static_cast<std::uint8_t>(0x30 + n));
      st.push_back(n);
      return true;
    }
    case 1: {
      auto v = static_cast<sword>(rnd()) >> below(60);
      if ((v & 1) != 0) {
        e.push_back(0x11);
        sleb(e, v);
      } else {
        e.push_back(0x10);
        uleb(e, static_cast<word>(v));
      }
      st.push_back(static_cast<word>(v));
      return true;
    }
    case 2: {
      word v = rnd();
      switch (below(7)) {
        case 0:
          e.push_back(0x08), raw(e, static_cast<std::uint8_t>(v)), st.push_back(v & 0xff);
          return true;
        case 1:
          e.push_back(0x09), raw(e, static_cast<std::int8_t>(v));
          st.push_back(static_cast<word>(static_cast<sword>(static_cast<std::int8_t>(v))));
          return true;
        case 2:
          e.push_back(0x0a), raw(e, static_cast<std::uint16_t>(v)), st.push_back(v & 0xffff);
          return true;
        case 3:
          e.push_back(0x0b), raw(e, static_cast<std::int16_t>(v));
          st.push_back(static_cast<word>(static_cast<sword>(static_cast<std::int16_t>(v))));
          return true;
        case 4:
          e.push_back(0x0c), raw(e, static_cast<std::uint32_t>(v)), st.push_back(v & 0xffffffff);
          return true;
        case 5:
          e.push_back(0x0d), raw(e, static_cast<std::int32_t>(v));
          st.push_back(static_cast<word>(static_cast<sword>(static_cast<std::int32_t>(v))));
          return true;
        default:
          e.push_back(0x0e), raw(e, v), st.push_back(v);
          return true;
      }
    }
    case 3: {  // a register
      auto r = static_cast<unsigned>(below(17));
      auto off = static_cast<sword>(rnd()) >> below(60);
      e.push_back(static_cast<std::uint8_t>(0x70 + r));
      sleb(e, off);
      if ((f.u.known >> r & 1) == 0) return false;
      st.push_back(f.u.regs.r[r] + static_cast<word>(off));
      return true;
    }
    case 4: {  // a word of the stack, sometimes a byte beyond it
      word off = below(8) == 0 ? sizeof f.mem - below(8) : below(sizeof f.mem - 7);
      e.push_back(0x0e), raw(e, reinterpret_cast<word>(f.mem) + off);
      std::uint8_t n = below(2) == 0 ? 8 : static_cast<std::uint8_t>(1 + below(8));
      if (n == 8)
        e.push_back(0x06);
      else
        e.push_back(0x94), e.push_back(n);
      if (off + n > sizeof f.mem) return false;
      word v = 0;
      std::memcpy(&v, reinterpret_cast<const char*>(f.mem) + off, n);
      st.push_back(v);
      return true;
    }
    case 5: {  // what moves words
      static constexpr std::uint8_t ops[] = {0x12, 0x13, 0x14, 0x15, 0x16, 0x17};
      std::uint8_t op = ops[below(6)];
      e.push_back(op);
      std::size_t n = st.size();
      switch (op) {
        case 0x12:
          if (n < 1) return false;
          st.push_back(st.back());
          return true;
        case 0x13:
          if (n < 1) return false;
          st.pop_back();
          return true;
        case 0x14:
          if (n < 2) return false;
          st.push_back(st[n - 2]);
          return true;
        case 0x15: {
          auto i = static_cast<std::uint8_t>(below(4));
          e.push_back(i);
          if (n <= i) return false;
          st.push_back(st[n - 1 - i]);
          return true;
        }
        case 0x16:
          if (n < 2) return false;
          std::swap(st[n - 1], st[n - 2]);
          return true;
        default:
          if (n < 3) return false;
          std::rotate(st.end() - 3, st.end() - 1, st.end());
          return true;
      }
    }
    case 6: {  // one operand
      static constexpr std::uint8_t ops[] = {0x19, 0x1f, 0x20, 0x23};
      std::uint8_t op = ops[below(4)];
      word add = rnd() >> below(64);
      e.push_back(op);
      if (op == 0x23) uleb(e, add);
      if (st.empty()) return false;
      word& v = st.back();
      if (op == 0x19) v = (v >> 63) != 0 ? 0 - v : v;
      if (op == 0x1f) v = 0 - v;
      if (op == 0x20) v = ~v;
      if (op == 0x23) v += add;
      return true;
    }
    default: {  // two operands
      static constexpr std::uint8_t ops[] = {0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x21, 0x22, 0x24, 0x25,
                                             0x26, 0x27, 0x29, 0x2a, 0x2b, 0x2c, 0x2d, 0x2e};
      std::uint8_t op = ops[below(sizeof ops)];
      if ((op == 0x24 || op == 0x25 || op == 0x26) && below(2) == 0) {  // a sensible count
        e.push_back(0x08), e.push_back(static_cast<std::uint8_t>(below(70)));
        st.push_back(e.back());
      }
      e.push_back(op);
      if (st.size() < 2) return false;
      word b = pop(), a = pop();
      auto sa = static_cast<__int128>(static_cast<sword>(a)), sb = static_cast<__int128>(static_cast<sword>(b));
      switch (op) {
        case 0x1a:
          st.push_back(a & b);
          return true;
        case 0x1b:
          if (sb == 0 || sa / sb > INT64_MAX) return false;
          st.push_back(static_cast<word>(sa / sb));
          return true;
        case 0x1c:
          st.push_back(a - b);
          return true;
        case 0x1d:
          if (b == 0) return false;
          st.push_back(a % b);
          return true;
        case 0x1e:
          st.push_back(a * b);
          return true;
        case 0x21:
          st.push_back(a | b);
          return true;
        case 0x22:
          st.push_back(a + b);
          return true;
        case 0x24:
          st.push_back(b > 63 ? 0 : a << b);
          return true;
        case 0x25:
          st.push_back(b > 63 ? 0 : a >> b);
          return true;
        case 0x26:
          st.push_back(static_cast<word>(sa >> std::min<word>(b, 100)));
          return true;
        case 0x27:
          st.push_back(a ^ b);
          return true;
        case 0x29:
          st.push_back(sa == sb);
          return true;
        case 0x2a:
          st.push_back(sa >= sb);
          return true;
        case 0x2b:
          st.push_back(sa > sb);
          return true;
        case 0x2c:
          st.push_back(sa <= sb);
          return true;
        case 0x2d:
          st.push_back(sa < sb);
          return true;
        default:
          st.push_back(sa != sb);
          return true;
      }
    }
  }
}

// Rows as a model has them: no rule, or kind and value.
struct modelRow {
  std::map<unsigned, std::pair<std::uint8_t, sword>> r;
  word cfaReg = 0;
  sword cfaOff = 0;
};

// .eh_frame_hdr and .eh_frame of functions that lie at made-up addresses near the buffer, as a linker lays them out.
struct module {
  struct function {
    word start, size;
    bytes cfi;
  };
  std::vector<function> funcs;
  bytes cieInsns;
  bytes blob;
  ehTables t{};

  // The buffer must not move any more: the offsets in it count from where it lies.
  void link() {
    std::size_t table = 12 + funcs.size() * 8, total = table + 4096;
    for (auto& f : funcs) total += f.cfi.size() + 32;
    blob.assign(total, 0);
    auto base = reinterpret_cast<word>(blob.data());
    std::size_t at = table;
    auto put32 = [&](std::size_t where, word v) {
      auto x = static_cast<std::uint32_t>(v);
      std::memcpy(blob.data() + where, &x, 4);
    };
    auto record = [&](const bytes& b) {
      std::size_t here = at;
      put32(at, b.size());
      std::memcpy(blob.data() + at + 4, b.data(), b.size());
      at += 4 + b.size();
      return here;
    };
    bytes c;
    raw(c, std::uint32_t{0});
    for (char x : {'\1', 'z', 'R', '\0'}) c.push_back(static_cast<std::uint8_t>(x));
    uleb(c, 1), sleb(c, -8), c.push_back(16), uleb(c, 1), c.push_back(0x1b);
    c.insert(c.end(), cieInsns.begin(), cieInsns.end());
    std::size_t cieAt = record(c);
    blob[0] = 1, blob[1] = 0x1b, blob[2] = 0x03, blob[3] = 0x3b;
    put32(4, cieAt - 4);
    put32(8, funcs.size());
    for (std::size_t i = 0; i < funcs.size(); i++) {
      function& f = funcs[i];
      bytes b;
      raw(b, static_cast<std::uint32_t>(at + 4 - cieAt));
      raw(b, static_cast<std::uint32_t>(base + f.start - (base + at + 8)));
      raw(b, static_cast<std::uint32_t>(f.size));
      b.push_back(0);
      b.insert(b.end(), f.cfi.begin(), f.cfi.end());
      put32(12 + i * 8, f.start);
      put32(12 + i * 8 + 4, record(b));
    }
    t = {blob.data(), blob.data() + table, blob.data() + table, blob.data() + at};
  }
  word address(word pc) const { return reinterpret_cast<word>(blob.data()) + pc; }
};

// A random CFI program of a function of `size` bytes, and the model's row at each of its pcs.
bytes randomCFI(word size, const modelRow& initial, std::vector<modelRow>* rows) {
  bytes b;
  modelRow cur = initial;
  std::vector<modelRow> saved;
  word pc = 0;
  rows->assign(size, cur);
  for (int n = static_cast<int>(below(30)); n > 0; n--) {
    auto reg = static_cast<unsigned>(below(17));
    sword f = static_cast<sword>(below(200)) - 100;
    switch (below(14)) {
      case 0:
      case 1:
      case 2: {
        word step = 1 + below(63);
        if (pc + step >= size) break;
        if (below(3) == 0)
          b.push_back(0x02), b.push_back(static_cast<std::uint8_t>(step));
        else if (below(3) == 0)
          b.push_back(0x03), raw(b, static_cast<std::uint16_t>(step));
        else if (below(3) == 0)
          b.push_back(0x04), raw(b, static_cast<std::uint32_t>(step));
        else
          b.push_back(static_cast<std::uint8_t>(0x40 | step));
        pc += step;
        break;
      }
      case 3:
        b.push_back(static_cast<std::uint8_t>(0x80 | reg)), uleb(b, static_cast<word>(f + 100));
        cur.r[reg] = {kOffset, (f + 100) * -8};
        break;
      case 4:
        b.push_back(0x11), uleb(b, reg), sleb(b, f);
        cur.r[reg] = {kOffset, f * -8};
        break;
      case 5:
        b.push_back(0x15), uleb(b, reg), sleb(b, f);
        cur.r[reg] = {kValOffset, f * -8};
        break;
      case 6: {
        auto other = static_cast<unsigned>(below(17));
        b.push_back(0x09), uleb(b, reg), uleb(b, other);
        cur.r[reg] = {kReg, other};
        break;
      }
      case 7:
        b.push_back(0x07), uleb(b, reg);
        cur.r[reg] = {kUndef, 0};
        break;
      case 8:
        b.push_back(0x08), uleb(b, reg);
        cur.r.erase(reg);
        break;
      case 9: {
        if (below(2) == 0)
          b.push_back(static_cast<std::uint8_t>(0xc0 | reg));
        else
          b.push_back(0x06), uleb(b, reg);
        auto i = initial.r.find(reg);
        if (i == initial.r.end())
          cur.r.erase(reg);
        else
          cur.r[reg] = i->second;
        break;
      }
      case 10:
        if (saved.size() == 4) break;
        b.push_back(0x0a);
        saved.push_back(cur);
        break;
      case 11:
        if (saved.empty()) break;
        b.push_back(0x0b);
        cur = saved.back();
        saved.pop_back();
        break;
      case 12:
        b.push_back(0x0c), uleb(b, reg), uleb(b, static_cast<word>(f + 100));
        cur.cfaReg = reg, cur.cfaOff = f + 100;
        break;
      default:
        b.push_back(0x13), sleb(b, f);
        cur.cfaOff = f * -8;
        break;
    }
    for (word i = pc; i < size; i++) (*rows)[i] = cur;
  }
  return b;
}

bool same(const row& r, const modelRow& m) {
  for (unsigned i = 0; i < 17; i++) {
    auto f = m.r.find(i);
    if (r.r[i].kind != (f == m.r.end() ? std::uint8_t{kSame} : f->second.first)) return false;
    if (f != m.r.end() && r.r[i].kind != kUndef && r.r[i].val != f->second.second) return false;
  }
  return r.cfaReg == m.cfaReg && r.cfaOff == m.cfaOff && r.cfaExpr == nullptr;
}

}  // namespace

TEST_CASE("expressions compute what DWARF says", "[unwind]") {
  int good = 0;
  for (int round = 0; round < 20000; round++) {
    frame f;
    f.u.known = below(2) == 0 ? 0x1ffff : static_cast<std::uint32_t>(below(0x20000));
    bytes e;
    std::vector<word> st;
    bool ok = true;
    for (word n = 1 + below(12); n > 0 && ok; n--) ok = randomOp(e, st, f);
    result want{ok && !st.empty(), ok && !st.empty() ? st.back() : 0}, got = eval(e, f);
    if (got == want) {
      good += want.ok;
      continue;
    }
    CAPTURE(round, e);
    CHECK(got == want);
  }
  CHECK(good > 2000);
}

TEST_CASE("an expression that jumps for ever ends, and one that jumps out of itself is refused", "[unwind]") {
  frame f;
  CHECK_FALSE(eval({0x2f, 0xfd, 0xff}, f).ok);                                    // skip -3: to itself
  CHECK_FALSE(eval({0x31, 0x31, 0x28, 0xfb, 0xff}, f).ok);                        // a loop by bra that pushes
  CHECK_FALSE(eval({0x31, 0x31, 0x28, 0xfc, 0xff}, f).ok);                        // and one whose depth stays
  CHECK(eval({0x35, 0x2f, 0x01, 0x00, 0xff, 0x31, 0x22}, f) == result{true, 6});  // over a byte that is no operation
  CHECK(eval({0x35, 0x2f, 0x00, 0x00}, f) == result{true, 5});                    // to the end
  CHECK_FALSE(eval({0x35, 0x2f, 0x01, 0x00}, f).ok);                              // behind it
  CHECK_FALSE(eval({0x2f, 0xfc, 0xff, 0x35}, f).ok);                              // before the start
  CHECK_FALSE(eval({0x35, 0x2f, 0x01}, f).ok);                                    // a distance cut short
  // 3 + 2 + 1 by a loop: the way a compiler never goes, but the machine can
  CHECK(eval({0x30, 0x33, 0x12, 0x17, 0x22, 0x16, 0x31, 0x1c, 0x12, 0x28, 0xf6, 0xff, 0x13}, f) == result{true, 6});
  // As deep as the machine, and deeper.
  CHECK(eval(bytes(15, 0x31), f) == result{true, 1});
  CHECK_FALSE(eval(bytes(17, 0x31), f).ok);
  CHECK_FALSE(eval({}, f).ok);
}

TEST_CASE("rows of random CFI programs are the model's at every pc, and no other function's", "[unwind]") {
  for (int round = 0; round < 200; round++) {
    module m;
    modelRow initial;
    std::vector<modelRow> ignored;
    initial.cfaReg = 7, initial.cfaOff = 8;
    initial.r[16] = {kOffset, -8};
    m.cieInsns = {0x0c, 7, 8, 0x90, 1};
    std::vector<std::vector<modelRow>> rows;
    word at = 100000;
    for (word n = 1 + below(8); n > 0; n--) {
      at += below(3) == 0 ? below(50) : 0;  // sometimes a gap
      word size = 1 + below(300);
      rows.emplace_back();
      m.funcs.push_back({at, size, randomCFI(size, initial, &rows.back())});
      at += size;
    }
    m.link();
    for (word pc = m.funcs[0].start - 3; pc < at + 3; pc++) {
      const module::function* in = nullptr;
      std::size_t k = 0;
      for (std::size_t i = 0; i < m.funcs.size(); i++)
        if (pc >= m.funcs[i].start && pc < m.funcs[i].start + m.funcs[i].size) in = &m.funcs[k = i];
      const std::uint8_t* fde = findFDE(m.t, m.address(pc));
      if (pc < m.funcs[0].start) {
        CHECK(fde == nullptr);
        continue;
      }
      REQUIRE(fde != nullptr);
      row r;
      cie c;
      found got = findRow(m.t, fde, m.address(pc), &r, &c);
      if (in == nullptr) {
        CHECK(got == found::otherPC);
      } else if (got != found::yes || !same(r, rows[k][pc - in->start])) {
        CAPTURE(round, pc, k, in->cfi);
        FAIL("another row than the model's");
      }
    }
  }
}

TEST_CASE("tables that are cut short anywhere give nothing, or what they gave whole", "[unwind]") {
  module m;
  m.cieInsns = {0x0c, 7, 8, 0x90, 1};
  std::vector<modelRow> rows;
  m.funcs.push_back({50000, 100, {0x41, 0x0e, 16, 0x86, 2, 0x43, 0x0d, 6, 0x16, 3, 2, 0x77, 8}});
  m.link();
  row whole;
  cie c;
  REQUIRE(findRow(m.t, findFDE(m.t, m.address(50050)), m.address(50050), &whole, &c) == found::yes);
  CHECK(whole.cfaReg == 6);
  CHECK(whole.r[3].kind == kValExpr);
  for (const std::uint8_t* hi = m.t.lo; hi < m.t.hi; hi++) {
    ehTables cut = m.t;
    cut.hi = hi;
    row r;
    CHECK(findRow(cut, findFDE(cut, m.address(50050)), m.address(50050), &r, &c) == found::no);
  }
  for (const std::uint8_t* hi = m.t.hdr; hi < m.t.hdrEnd; hi++) {
    ehTables cut = m.t;
    cut.hdrEnd = hi;
    CHECK(findFDE(cut, m.address(50050)) == nullptr);
  }
  // Factors and offsets beyond all measure wrap around instead of trapping.
  module far;
  far.funcs.push_back({50000, 100, {}});
  bytes& b = far.funcs[0].cfi;
  for (std::uint8_t op : {0x05, 0x11, 0x14, 0x15, 0x2f}) {
    b.push_back(op);
    b.push_back(3);
    if (op == 0x11 || op == 0x15)
      sleb(b, INT64_MIN);
    else
      uleb(b, UINT64_MAX);
  }
  far.link();
  CHECK(findRow(far.t, findFDE(far.t, far.address(50000)), far.address(50000), &whole, &c) == found::yes);
}

TEST_CASE("a walk goes from frame to frame and stays on its stack", "[unwind]") {
  // Two functions: f has pushed rbp and moved it, main is the root, whose return address is undefined.
  module m;
  m.cieInsns = {0x0c, 7, 8, 0x90, 1};
  m.funcs.push_back({40000, 100, {0x0c, 6, 16, 0x86, 2}});
  m.funcs.push_back({40100, 100, {0x07, 16}});
  m.link();
  alignas(16) word mem[16] = {};
  auto lo = reinterpret_cast<word>(mem);
  stackbounds b{};
  b.add(lo, lo + sizeof mem);
  unwregs r{};
  r.r[kRip] = m.address(40010), r.r[kRsp] = lo, r.r[kRbp] = lo + 32;
  mem[4] = 0x1234, mem[5] = m.address(40150);
  unwinder u(r, b, true);
  REQUIRE(u.stepBy(&m.t));
  CHECK(u.cfa == lo + 48);
  CHECK(u.regs.r[kRsp] == lo + 48);
  CHECK(u.regs.r[kRbp] == 0x1234);
  CHECK(u.regs.r[kRip] == m.address(40150));
  CHECK_FALSE(u.exact);
  CHECK_FALSE(u.stepBy(&m.t));  // the root
  // A frame pointer that leads off the stack, or to where a word lies half outside.
  for (word bp : {lo - 8, lo + sizeof mem - 8, lo + sizeof mem - 15, lo + sizeof mem, word{0}, ~word{0}}) {
    r.r[kRbp] = bp;
    unwinder v(r, b, true);
    CAPTURE(bp - lo);
    CHECK_FALSE(v.stepBy(&m.t));
  }
  // Without tables the frame pointer is followed, if it leads upwards.
  r.r[kRbp] = lo + 32;
  unwinder v(r, b, true);
  REQUIRE(v.stepBy(nullptr));
  CHECK(v.regs.r[kRip] == m.address(40150));
}
