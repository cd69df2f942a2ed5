// GODEBUG=gccheckmark=1: marks a second time, by one thread with the world stopped, and throws if it finds an object that
// the first marking has missed and sweeping would have freed alive.
//
// Owns: a list of roots and a marking of its own. Nothing of it is the code that it checks: a fault there would be made
// here again, and not be seen. So
//   - globals and thread_locals are those of the program headers, not work.data and moduledata;
//   - spans are found by the arenas' page tables, not in manualspans or by what was written;
//   - which blocks of malloc are in use is worked out from all lists of free ones, not from their marks and cutSlots;
//   - an object is found by division, and marked in bits of our own. The heap is only read.
//
// What only objects with finalizers refer to is left out: what is to be kept of it is for mfinal.cpp to say.
#pragma GCC optimize("Os")
#include "runtime/base/symtab.h"
#include "runtime/gc/mgcwork.h"
#include "runtime/mem/stack.h"

namespace runtime {

namespace {

constexpr uintptr kGrain = 16;  // no two blocks or objects begin closer to each other

// Bits for all heap arenas, one for each 8 bytes: objects of 8 bytes have one each.
struct arenaBits {
  std::uint64_t seen[heapArenaBytes / 8 / 64];
  std::uint64_t free[heapArenaBytes / kGrain / 64];
};

struct {
  arenaBits** bits;  // by arena index
  uintptr* stack;    // objects seen, to be read
  uintptr n, cap;
  const char* root;  // for the report
} chk;

void* take(uintptr bytes) {
  void* p = sysAlloc((bytes + 4095) & ~uintptr{4095}, &mheap_.stats.otherSys);
  if (p == nullptr) outOfMemory(bytes);
  return p;
}
void give(void* p, uintptr bytes) {
  bytes = (bytes + 4095) & ~uintptr{4095};
  sysFreeOS(p, bytes);
  atomic::Xadd(&mheap_.stats.otherSys, -bytes);
}

bool testAndSet(std::uint64_t* b, uintptr i) {
  bool was = (b[i / 64] >> (i % 64) & 1) != 0;
  b[i / 64] |= std::uint64_t{1} << (i % 64);
  return was;
}

template <class F>
void eachHeapArena(F f) {
  for (heapArena** l2 : arenas)
    for (std::uint32_t i = 0; l2 != nullptr && i < arenaL2Entries; i++)
      if (l2[i] != nullptr && l2[i]->kind == arenaHeap) f(l2[i]);
}

// Calls f for each span of that state, once.
template <class F>
void eachSpan(mSpanState state, F f) {
  eachHeapArena([&](heapArena* a) {
    for (std::uint32_t i = 0; i < pagesPerArena; i++) {
      mspan* s = a->spans[i];
      if (s != nullptr && s->state == state && s->startAddr == a->base + i * pageSize) f(s);
    }
  });
}

void visit(uintptr p, uintptr from) {
  heapArena* a = arenaOf(p);
  if (a == nullptr || a->kind != arenaHeap) return;
  mspan* s = a->spans[(p - a->base) / pageSize];
  if (s == nullptr || s->state != mSpanInUse || p < s->startAddr || p >= s->startAddr + s->nelems * s->elemsize) return;
  uintptr i = (p - s->startAddr) / s->elemsize, obj = s->startAddr + i * s->elemsize;
  if (i >= s->freeindex && (s->allocBits[i / 64] >> (i % 64) & 1) == 0) return;  // nobody has it
  heapArena* oa = arenaOf(obj);
  if (testAndSet(chk.bits[oa->index]->seen, (obj - oa->base) / 8)) return;
  if ((s->gcmarkBits[i / 64] >> (i % 64) & 1) == 0) {
    printf("runtime: checkmarks found unexpected unmarked object obj={:#x} of {} bytes\n", obj, s->elemsize);
    printf("runtime: {:#x} points to it, reached from {}\n", from, chk.root);
    throw_("checkmark found unmarked object");
  }
  if ((s->spanclass & 1) != 0) return;
  if (chk.n == chk.cap) {
    uintptr cap = chk.cap == 0 ? 4096 : chk.cap * 2;
    auto* nw = static_cast<uintptr*>(take(cap * 8));
    __builtin_memcpy(nw, chk.stack, chk.n * 8);
    if (chk.cap != 0) give(chk.stack, chk.cap * 8);
    chk.stack = nw;
    chk.cap = cap;
  }
  chk.stack[chk.n++] = obj;
}

void words(uintptr lo, uintptr hi) {
  for (lo = (lo + 7) & ~uintptr{7}; lo + 8 <= hi; lo += 8) visit(*reinterpret_cast<const uintptr*>(lo), lo);
}

void root(const char* what, uintptr lo, uintptr hi) {
  chk.root = what;
  words(lo, hi);
  while (chk.n != 0) {
    uintptr obj = chk.stack[--chk.n];
    words(obj, obj + spanOf(obj)->elemsize);
  }
}

// ---- roots ----

struct elf64Phdr {
  std::uint32_t type, flags;
  std::uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

// Whether [lo, hi) is, in part, a table of the heap's own or the collector's notes: full of addresses that keep nothing.
// Calls f for what is not.
template <class F>
void withoutTables(uintptr lo, uintptr hi, F f) {
  const gcRange tables[] = {
      {reinterpret_cast<uintptr>(&arenas), sizeof arenas},
      {reinterpret_cast<uintptr>(&arenaList), sizeof arenaList},
      {reinterpret_cast<uintptr>(&arenaSums), sizeof arenaSums},
      {reinterpret_cast<uintptr>(&mheap_), sizeof mheap_},
      {reinterpret_cast<uintptr>(&work), sizeof work},
      {reinterpret_cast<uintptr>(&chk), sizeof chk},
  };
  while (lo < hi) {
    uintptr end = hi, next = hi;
    for (const gcRange& t : tables)
      if (t.lo + t.hi > lo && t.lo < end) end = t.lo < lo ? lo : t.lo, next = t.lo + t.hi;
    if (lo < end) f(lo, end);
    lo = next;
  }
}

void globals() {
  constexpr std::uint32_t kLoad = 1, kTLS = 7, kWritable = 2;
  const moduledata& md = firstmoduledata;
  auto* ph = static_cast<const elf64Phdr*>(md.phdr);
  for (uintptr i = 0; i < md.phnum; i++) {
    uintptr lo = ph[i].vaddr + md.bias;
    if (ph[i].type == kLoad && (ph[i].flags & kWritable) != 0)
      withoutTables(lo, lo + ph[i].memsz, [](uintptr a, uintptr b) { root("a global", a, b); });
    // A thread's block ends at its FS, as the ABI has it, and begins where a multiple of the alignment has room for it.
    if (ph[i].type == kTLS)
      for (m* mp = allm; mp != nullptr; mp = mp->alllink)
        if (mp->tlsbase != 0)
          root("a thread_local", mp->tlsbase - ((ph[i].memsz + ph[i].align - 1) & ~(ph[i].align - 1)), mp->tlsbase - 8);
  }
}

void stacks() {
  for (m* mp = allm; mp != nullptr; mp = mp->alllink)
    if (mp->foreignregs != 0) root("a register", mp->foreignregs, mp->gsignal->stack.hi);
  for (std::int64_t i = 0; i < allgs.len; i++) {
    const g* gp = allgs.array[i];
    if (gp->startpc == reinterpret_cast<uintptr>(&gcBgMarkWorker) ||
        gp->startpc == reinterpret_cast<uintptr>(&gcMarkHelper) ||
        gp->startpc == reinterpret_cast<uintptr>(&gcMarkConductor))
      continue;  // what those know who mark is no root
    uintptr sp;
    switch (atomic::Load(&gp->atomicstatus)) {
      case _Gidle:
        continue;
      case _Gsyscall:
        do sp = atomic::Load(&gp->syscallsp);
        while (sp == 0 && atomic::Load(&gp->atomicstatus) == _Gsyscall);
        if (sp == 0) sp = gp->sched.sp;
        break;
      case _Grunning:
        throw_("checkmark: a goroutine runs while the world is stopped");
      default:
        sp = gp->sched.sp;
    }
    if (sp == 0) continue;  // dead, and nobody fills it for a new life
    if (sp < gp->stack.lo - kStackSlack || sp > gp->stack.hi) throw_("checkmark: a goroutine is not on its stack");
    root("a stack", sp, gp->stack.hi);
    for (const stackseg* s = gp->segs; s != nullptr; s = s->outer) root("a stack", s->outersp, s->outerstack.hi);
    root("a g", reinterpret_cast<uintptr>(gp), reinterpret_cast<uintptr>(gp) + sizeof(g));
  }
}

// ---- malloc's blocks ----

void freeSlot(uintptr p, const mspan* s) {
  if (p < s->startAddr || p >= s->limit || (p - s->startAddr) % s->elemsize != 0) {
    printf("runtime: {:#x} is on the list of free blocks of span {:#x}, of {} bytes each\n", p, s->startAddr,
           s->elemsize);
    throw_("checkmark: list of free blocks broken");
  }
  heapArena* a = arenaOf(p);
  if (!testAndSet(chk.bits[a->index]->free, (p - a->base) / kGrain)) return;
  printf("runtime: block {:#x} of {} bytes is free twice\n", p, s->elemsize);
  throw_("checkmark: a block is free twice");
}

void freeChain(void* head) {
  for (; head != nullptr; head = *static_cast<void**>(head)) {
    auto p = reinterpret_cast<uintptr>(head);
    mspan* s = spanOf(p);
    if (s == nullptr || s->state != mSpanManual) throw_("checkmark: a list of free blocks leads out of the heap");
    freeSlot(p, s);
  }
}

void freeOfCache(const mcache* c) {
  if (c == nullptr) return;
  for (int i = 0; i < numSpanClasses; i++) {
    const mslots& m = c->manual[i];
    freeChain(m.head);
    for (uintptr p = m.ptr; p < m.end; p += sizeClasses.size[i >> 1]) freeSlot(p, spanOf(p));
  }
}

void blocks() {
  for (std::int64_t i = 0; i < allp.len; i++) freeOfCache(allp.array[i]->mcache);
  freeOfCache(mheap_.noP);
  eachSpan(mSpanManual, [](mspan* s) {
    freeChain(s->freelist);
    for (uintptr i = s->freeindex; i < s->nelems; i++) freeSlot(s->startAddr + i * s->elemsize, s);
  });
  eachSpan(mSpanManual, [](mspan* s) {
    if ((s->spanclass & 1) != 0) return;
    for (uintptr i = 0; i < s->nelems; i++) {
      uintptr p = s->startAddr + i * s->elemsize;
      heapArena* a = arenaOf(p);
      uintptr k = (p - a->base) / kGrain;
      if ((chk.bits[a->index]->free[k / 64] >> (k % 64) & 1) == 0) root("a block of malloc", p, p + s->elemsize);
    }
  });
}

}  // namespace

// World stopped, marking done, nothing swept.
LANDMARK void gcCheckmark() {
  std::uint32_t n = mheap_.narenas;
  chk.bits = static_cast<arenaBits**>(take(n * sizeof(arenaBits*)));
  for (std::uint32_t i = 0; i < n; i++) chk.bits[i] = static_cast<arenaBits*>(take(sizeof(arenaBits)));
  globals();
  stacks();
  blocks();
  for (std::uint32_t i = 0; i < n; i++) give(chk.bits[i], sizeof(arenaBits));
  give(chk.bits, n * sizeof(arenaBits*));
  if (chk.cap != 0) give(chk.stack, chk.cap * 8);
  chk = {};
}

}  // namespace runtime
