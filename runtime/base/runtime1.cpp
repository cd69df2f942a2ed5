// check: the first C++ that runs. Proves what the compiler and the processor promise before anything relies on it.
//
// Each test has its own text, so that a report names what failed. The optimiser could decide most of them at compile
// time and leave nothing to run; values therefore pass through `hide`, behind which it can't look.
#include "runtime/base/atomic.h"
#include "runtime/base/bootstep.h"
#include "runtime/base/panic.h"
#include "runtime/base/stubs.h"

namespace runtime {

namespace {

template <class T>
ALWAYS_INLINE T hide(T v) {
  __asm__ volatile("" : "+r"(v));
  return v;
}

// For values that live in memory: the compiler must assume that they have changed.
ALWAYS_INLINE void touch(void* p) { __asm__ volatile("" : : "r"(p) : "memory"); }

std::uint64_t test_z64, test_x64;

void checkSizes() {
  if (hide(sizeof(std::int8_t)) != 1) throw_("bad a");
  if (hide(sizeof(std::uint8_t)) != 1) throw_("bad b");
  if (hide(sizeof(std::int16_t)) != 2) throw_("bad c");
  if (hide(sizeof(std::uint16_t)) != 2) throw_("bad d");
  if (hide(sizeof(std::int32_t)) != 4) throw_("bad e");
  if (hide(sizeof(std::uint32_t)) != 4) throw_("bad f");
  if (hide(sizeof(std::int64_t)) != 8) throw_("bad g");
  if (hide(sizeof(std::uint64_t)) != 8) throw_("bad h");
  if (hide(sizeof(float)) != 4) throw_("bad i");
  if (hide(sizeof(double)) != 8) throw_("bad j");
  if (hide(sizeof(void*)) != 8) throw_("bad k");
  if (hide(sizeof(std::uint16_t*)) != 8) throw_("bad l");

  struct x1t {
    std::uint8_t x;
  };
  struct y1t {
    x1t x1;
    std::uint8_t y;
  };
  if (hide(sizeof(x1t)) != 1) throw_("bad unsafe.Sizeof x1");
  if (hide(offsetof(y1t, y)) != 1) throw_("bad offsetof y1.y");
  if (hide(sizeof(y1t)) != 2) throw_("bad unsafe.Sizeof y1");

  // Bytes in memory: the stack grows down from here, so the layout of m and g is little-endian words.
  std::uint64_t w = 0x0102030405060708;
  touch(&w);
  if (*reinterpret_cast<std::uint8_t*>(&w) != 8) throw_("bad byte order");
}

void checkAtomic32() {
  std::uint32_t z = 1;
  touch(&z);
  if (!atomic::Cas(&z, 1, 2)) throw_("cas1");
  if (hide(z) != 2) throw_("cas2");
  z = 4;
  touch(&z);
  if (atomic::Cas(&z, 5, 6)) throw_("cas3");
  if (hide(z) != 4) throw_("cas4");
  z = 0xffffffff;
  touch(&z);
  if (!atomic::Cas(&z, 0xffffffff, 0xfffffffe)) throw_("cas5");
  if (hide(z) != 0xfffffffe) throw_("cas6");

  // An operation on a byte leaves its neighbours alone.
  alignas(4) std::uint8_t mem[4] = {1, 1, 1, 1};
  touch(mem);
  atomic::Or(&mem[1], std::uint8_t{0xf0});
  touch(mem);
  if (mem[0] != 1 || mem[1] != 0xf1 || mem[2] != 1 || mem[3] != 1) throw_("atomicor8");
  for (auto& b : mem) b = 0xff;
  touch(mem);
  atomic::And(&mem[1], std::uint8_t{0x1});
  touch(mem);
  if (mem[0] != 0xff || mem[1] != 0x1 || mem[2] != 0xff || mem[3] != 0xff) throw_("atomicand8");
}

// A NaN is unequal to everything, itself included; -ffast-math would break that, and maps and min/max with it.
void checkNaN() {
  union {
    std::uint64_t u;
    double f;
  } j{~std::uint64_t{0}}, j1{~std::uint64_t{1}};
  union {
    std::uint32_t u;
    float f;
  } i{~std::uint32_t{0}}, i1{~std::uint32_t{1}};
  touch(&j);
  touch(&j1);
  touch(&i);
  touch(&i1);
  if (j.f == j.f) throw_("float64nan");
  if (!(j.f != j.f)) throw_("float64nan1");
  if (j.f == j1.f) throw_("float64nan2");
  if (!(j.f != j1.f)) throw_("float64nan3");
  if (i.f == i.f) throw_("float32nan");
  if (!(i.f != i.f)) throw_("float32nan1");
  if (i.f == i1.f) throw_("float32nan2");
  if (!(i.f != i1.f)) throw_("float32nan3");
}

}  // namespace

BOOTMARK void testAtomic64() GOSYM("runtime.testAtomic64");
void testAtomic64() {
  auto* z = &test_z64;
  *z = 42;
  test_x64 = 0;
  touch(z);
  if (atomic::Cas(z, test_x64, 1)) throw_("cas64 failed");
  if (hide(test_x64) != 0) throw_("cas64 changed its operand");
  test_x64 = 42;
  touch(z);
  if (!atomic::Cas(z, test_x64, 1)) throw_("cas64 refused an equal value");
  if (hide(test_x64) != 42 || hide(*z) != 1) throw_("cas64 stored wrong");
  if (atomic::Load(z) != 1) throw_("load64 failed");
  // All that follows uses more than 32 bits, so that an operation on half a word shows.
  constexpr std::uint64_t high = std::uint64_t{1} << 40;
  atomic::Store(z, high + 1);
  if (atomic::Load(z) != high + 1) throw_("store64 failed");
  if (atomic::Xadd(z, high + 1) != 2 * high + 2) throw_("xadd64 failed");
  if (atomic::Load(z) != 2 * high + 2) throw_("xadd64 stored wrong");
  if (atomic::Xchg(z, 3 * high + 3) != 2 * high + 2) throw_("xchg64 failed");
  if (atomic::Load(z) != 3 * high + 3) throw_("xchg64 stored wrong");
}

BOOTMARK bool checkASM() GOSYM("runtime.checkASM");
// What assembly takes for granted: g found through FS, the guard beside it, and stack alignment at calls.
bool checkASM() {
  g* gp = getg();
  if (gp != &g0 || gp->m != &m0 || m0.g0 != gp) return false;
  if (getguard() != gp->stackguard0) return false;
  uintptr sp = reinterpret_cast<uintptr>(__builtin_frame_address(0));
  return sp % 16 == 0 && sp > gp->stack.lo && sp < gp->stack.hi;
}

BOOTMARK void check() GOSYM("runtime.check");
void check() {
  checkSizes();
  checkAtomic32();
  checkNaN();
  testAtomic64();
  if (hide(StackMin & (StackMin - 1)) != 0) throw_("FixedStack is not power-of-2");
  if (!checkASM()) throw_("assembly checks failed");
  BOOTSTEP("runtime.check", "sizeof_g,sizeof_m,sizeof_p", sizeof(g), sizeof(m), sizeof(p));
}

}  // namespace runtime
