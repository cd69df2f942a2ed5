// Stack segments: what a goroutine gets when its slot is used up.
//
// Owns: making and caching segments. Sizes are kFirstSegment << k; small ones that a dead goroutine leaves are kept for
// the next, large ones go back to the kernel at once, since their pages are worth more than the call.
#include "runtime/mem/mheap.h"
#include "runtime/mem/stack.h"

namespace runtime {

namespace {

constexpr int kOrders = 5;           // sizes whose segments are cached: 64 KB … 1 MB
constexpr std::uint32_t kKeep = 16;  // of each
constexpr int kMapPrivateAnonNoreserve = 0x4022;

struct {
  mutex lock{0, lockRankStackSegments};
  stackseg* free[kOrders];   // lock
  std::uint32_t n[kOrders];  // lock
  std::uint64_t inuse;       // atomic
} segpool GOSYM("runtime.segpool") = {};

int orderOf(uintptr mapped) {
  int k = 0;
  while (k < kOrders && (kFirstSegment << k) < mapped) k++;
  return k;
}

constexpr uintptr kOverhead = kStackGuardRegion + kStackSlack;

}  // namespace

LANDMARK stackseg* newseg(uintptr size) {
  uintptr want = (size + sizeof(stackseg) + 64 + 4095) & ~uintptr{4095};
  int k = orderOf(want);
  atomic::Xadd(&segpool.inuse, std::uint64_t{1});
  if (k < kOrders) {
    want = kFirstSegment << k;
    lock(&segpool.lock);
    stackseg* s = segpool.free[k];
    if (s != nullptr) {
      segpool.free[k] = s->next;
      segpool.n[k]--;
      unlock(&segpool.lock);
      s->next = nullptr;
      return s;
    }
    unlock(&segpool.lock);
  }
  uintptr len = want + kOverhead;
  int err = 0;
  auto base = reinterpret_cast<uintptr>(mmap(nullptr, len, 3, kMapPrivateAnonNoreserve, -1, 0, &err));
  if (err != 0) {
    atomic::Xadd(&segpool.inuse, ~std::uint64_t{0});
    return nullptr;
  }
  bool split = guardSegment(base);
  uintptr hi = (base + len - sizeof(stackseg)) & ~uintptr{63};
  auto* s = reinterpret_cast<stackseg*>(hi);
  s->stk = {base + kOverhead, hi};
  s->size = hi - s->stk.lo;
  s->base = base;
  s->len = len;
  s->split = split;
  atomic::Xadd(&mheap_.stats.stackSys, len);
  return s;
}

LANDMARK void freeseg(stackseg* s) {
  atomic::Xadd(&segpool.inuse, ~std::uint64_t{0});
  int k = orderOf(s->len - kOverhead);
  if (k < kOrders) {
    lock(&segpool.lock);
    if (segpool.n[k] < kKeep) {
      s->next = segpool.free[k];
      segpool.free[k] = s;
      segpool.n[k]++;
      unlock(&segpool.lock);
      return;
    }
    unlock(&segpool.lock);
  }
  atomic::Xadd(&mheap_.stats.stackSys, -s->len);
  bool split = s->split;
  if (munmap(reinterpret_cast<void*>(s->base), s->len) && split) unguardSegment();
}

LANDMARK void stackshrink(g* gp) {
  stackseg* s = gp->segnext;
  gp->segnext = nullptr;
  if (gp->segs != nullptr) gp->segs->next = nullptr;
  while (s != nullptr) {
    stackseg* next = s->next;
    freeseg(s);
    s = next;
  }
}

uintptr stacksize(const g* gp) {
  uintptr n = gp->stack.hi - gp->stack.lo;
  for (const stackseg* s = gp->segs; s != nullptr; s = s->outer) n += s->outerstack.hi - s->outerstack.lo;
  return n;
}

bool inStackGuard(const g* gp, uintptr addr) {
  uintptr base = gp->segs != nullptr ? gp->segs->base : gp->stackbase;
  return base != 0 && addr - base < kStackGuardRegion;
}

}  // namespace runtime
