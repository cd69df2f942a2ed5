// The heap's inside: spans, central lists, per-P caches, arenas. For mem/ and gc/ only; others include malloc.h.
//
// How a small object is born: its size gives a size class, class and noscan give a span class; the P's mcache holds for
// each span class a run of free slots [ptr, end) and hands out the next. A run that is used up is followed by the next
// one of the same span (a scan of allocBits), then by another span (mcentral), then by fresh pages (mheap).
//
// Runs are our way: Go finds each next slot by counting zeros in a 64-bit window of the bitmap. A run costs an add and
// a compare an object, and is cleared as a whole when it is taken, which a bulk store does faster than object by object.
//
// Two kinds of spans
//   in use  garbage collected. freeindex: slots below it are allocated or belong to the run of the mcache that holds the
//           span; above it allocBits (the marks of the last cycle) decide.
//   manual  operator new, malloc. Slots are handed out and come back through an intrusive list; a free slot's second
//           word is freeKey ^ its address, by which double frees are found and by which the collector, which scans
//           manual spans as roots, knows that a slot is free.
// A manual span belongs to no mcache: the caches hold slots, as tcmalloc's do, so a free on any P is cheap.
#pragma once

#include "runtime/base/panic.h"
#include "runtime/base/print.h"
#include "runtime/mem/malloc.h"
#include "runtime/mem/mpagealloc.h"
#include "runtime/mem/sizeclasses.h"
#include "runtime/os/os_linux.h"

namespace runtime {

constexpr uintptr arenaShift = 26;
constexpr uintptr heapArenaBytes = uintptr{1} << arenaShift;
// Arenas are found by address through two levels: one table for 48 bits would be 32 MB of address space in every process,
// more than a small `ulimit -v` leaves.
constexpr std::uint32_t arenaL2Bits = 10;
constexpr std::uint32_t arenaL1Entries = 1u << (48 - arenaShift - arenaL2Bits);
constexpr std::uint32_t arenaL2Entries = 1u << arenaL2Bits;
constexpr std::uint32_t kMaxArenas = 1u << 16;
constexpr int numSpanClasses = numSizeClasses * 2;
static_assert(heapArenaBytes / pageSize == pagesPerArena);

using spanClass = std::uint8_t;  // size class << 1 | noscan
// Objects of less than tinySize without pointers share blocks of it, which are of this class.
constexpr uintptr tinySize = 16;
constexpr spanClass tinySpanClass = 2 << 1 | 1;
static_assert(sizeClasses.size[tinySpanClass >> 1] == tinySize);

enum mSpanState : std::uint8_t { mSpanDead, mSpanInUse, mSpanManual };

struct mslots;

struct alignas(64) mspan {
  // The first line is what marking reads of a span.
  uintptr startAddr;          // init of each use
  uintptr elemsize;           // init of each use
  uintptr limit;              // end of the last slot
  std::uint64_t* gcmarkBits;  // this cycle's marks
  std::uint64_t* allocBits;   // set: slot was alive after the last cycle
  std::uint32_t divMul;
  std::uint32_t nelems;
  std::uint32_t freeindex;  // owner (mcache), or STW; in manual spans: slots cut so far (mcentral.lock)
  mSpanState state;         // atomic
  ::runtime::spanClass spanclass;
  bool needzero;  // pages may hold old contents
  bool cached;    // held by an mcache
  bool onList;    // on a list of its mcentral

  mspan* next;  // list's lock
  mspan* prev;
  uintptr npages;             // init of each use
  std::uint32_t allocCount;   // owner; manual: slots not on freelist (mcentral.lock)
  std::uint32_t sweepgen;     // owner: mheap.sweepgen when last swept, or made
  std::uint32_t allspansIdx;  // mheap.lock
  std::uint8_t bitWords;      // words of each bitmap
  mslots* cutBy;              // manual: who got the slots cut off last; atomic, written with mcentral.lock
  void* freelist;             // manual: free slots; mcentral.lock
};
static_assert(sizeof(mspan) == 128);

struct mSpanList {
  mspan* first;
  mspan* last;
};

struct mcentral {
  mutex lock;
  // A span's sweepgen says which of a pair it is on: [sweepgen/2%2] holds the swept spans, the other the unswept.
  mSpanList partial[2];
  mSpanList full[2];
  mSpanList manual;  // manual spans that have free slots
};

struct mrun {  // free slots of one span, all cleared
  uintptr ptr;
  uintptr end;
  mspan* s;
};
struct mslots {  // free slots of manual spans
  void* head;
  std::uint32_t n;    // slots on the list
  std::uint32_t max;  // above it half goes back
  uintptr ptr, end;   // slots never used, in a row; ptr is atomic, for markers
  mspan* cut;         // the span that they are the rest of; atomic, written before ptr
};

struct mcache {
  uintptr tiny;  // block that small noscan objects share
  uintptr tinyoffset;
  mrun alloc[numSpanClasses];
  mslots manual[numSpanClasses];
  std::int64_t liveBytes;  // handed out since the last flush to mheap.heapLive
  std::uint64_t mallocs, mallocBytes, tinyAllocs;
};

// What the collector wants to know of a page without a look at its span.
enum : std::uint8_t {
  pageSmall = 1,   // a span of objects with pointers, one page long
  pageOther = 2,   // manual memory, larger spans
  pageNoscan = 3,  // nothing here is a pointer
  pageKind = 3,
  pageHot = 4,  // pageSmall: this cycle has marked an object
  pageOld = 8,  // pageSmall: objects have outlived a cycle
};

enum arenaKind : std::uint8_t { arenaHeap, arenaStacks };

struct heapArena {
  mspan* spans[pagesPerArena];
  arenaPages pages;
  std::uint8_t flags[pagesPerArena];  // written by who owns the page's span, or marks
  uintptr base;
  std::uint32_t index;  // place in mheap.arenaList
  arenaKind kind;
  bool tracked;         // the collector: the kernel tells which pages were written
  std::uint32_t slots;  // arenaStacks: stack slots ever handed out, from the arena's start
};

struct mstats {  // all atomic
  std::uint64_t heapSys, heapInuse, heapReleased, stackSys, otherSys, liveObjectsBytes;
  std::uint64_t manualInuse, manualScan, largeAllocs;
  std::uint64_t mallocs, mallocBytes, tinyAllocs;  // of mcaches that are gone
  std::uint64_t frees, freeBytes;                  // counted by sweeping
};

struct mheap {
  mutex lock;
  std::uint32_t sweepgen;     // STW: +2 each cycle
  uintptr nextArena;          // lock: where the next arena is asked for
  uintptr searchIdx;          // lock: arenas before it have no free page
  std::uint32_t narenas;      // lock
  mspan* freeSpans;           // lock: recycled mspan structs
  slice<mspan*> allspans;     // lock: those in use
  slice<mspan*> manualspans;  // lock
  void* freeBits[6];          // lock: recycled bitmaps of 2 << i words
  mcache* freeCaches;         // lock
  uintptr freeKey;            // init: marks free slots of manual spans
  mstats stats;
  // What allocation tells the collector, and the collector allocation. Set to "never" until gcenable.
  std::uint64_t heapLive;   // atomic: bytes alive after the last cycle and handed out to mcaches since
  std::uint64_t gcTrigger;  // atomic: heapLive that starts a cycle
  std::uint32_t sweepIdx;   // atomic: span classes before it have no unswept span left
  uintptr heapLo, heapHi;   // lock: bounds of all heap arenas
  mutex noPlock;            // serialises what threads without a P allocate
  mcache* noP;              // noPlock
  mcentral central[numSpanClasses];
  mcentral centralManual[numSpanClasses];
};
extern mheap mheap_ GOSYM("runtime.mheap_");
extern heapArena** arenas[arenaL1Entries] GOSYM("runtime.arenas");   // by address; written with mheap.lock
extern heapArena* arenaList[kMaxArenas] GOSYM("runtime.arenaList");  // heap arenas in address order; mheap.lock
extern pallocSum arenaSums[kMaxArenas] GOSYM("runtime.arenaSums");   // mheap.lock
// Where the first arena is asked for: where Go's heap begins, so that a heap address is known at sight. Another place
// under a sanitizer, which has its shadow there.
extern uintptr arenaHint GOSYM("runtime.arenaHint");
extern mspan emptymspan GOSYM("runtime.emptymspan");
extern std::uint64_t zerobase GOSYM("runtime.zerobase");  // where all objects of no size are

// Their names need quotes in assembly, which gcc forgets when it moves cold parts out under a name of their own.
#define HEAPMARK [[gnu::noinline, gnu::noclone, gnu::optimize("no-reorder-blocks-and-partition")]]

// mheap.cpp
void mheap_init(mheap* h) GOSYM("\"runtime.(*mheap).init\"");
// n bytes of address space as arenas; n is rounded up to arenas. Null when refused.
void* mheap_sysAlloc(mheap* h, uintptr n, uintptr* got) GOSYM("\"runtime.(*mheap).sysAlloc\"");
bool mheap_grow(mheap* h, uintptr npages, bool quiet) GOSYM("\"runtime.(*mheap).grow\"");
// A span of npages; null when memory is refused (Go's line about it is printed unless quiet).
mspan* mheap_alloc(mheap* h, uintptr npages, spanClass spc, mSpanState state, uintptr alignPages, bool quiet)
    GOSYM("\"runtime.(*mheap).alloc\"");
void mheap_freeSpan(mheap* h, mspan* s) GOSYM("\"runtime.(*mheap).freeSpan\"");
// Adds an arena of kind stacks or heap at base to the map; mheap.lock held.
heapArena* addArena(uintptr base, arenaKind kind);  // null when memory is refused

// mcentral.cpp
mspan* mcentral_cacheSpan(mcentral* c) GOSYM("\"runtime.(*mcentral).cacheSpan\"");
void mcentral_uncacheSpan(mcentral* c, mspan* s) GOSYM("\"runtime.(*mcentral).uncacheSpan\"");
// One span that the last cycle marked and nobody has swept; null if there is none. The caller owns it.
mspan* mcentral_takeUnswept(mcentral* c);
bool mcentral_refillManual(mcentral* c, mslots* m, bool quiet);
void mcentral_releaseManual(mcentral* c, void* head);  // a chain of free slots goes back to their spans

// mcache.cpp
bool mcache_refill(mcache* c, spanClass spc) GOSYM("\"runtime.(*mcache).refill\"");
bool mcache_nextRun(mcache* c, spanClass spc) GOSYM("\"runtime.(*mcache).nextRun\"");
void mcache_releaseAll(mcache* c) GOSYM("\"runtime.(*mcache).releaseAll\"");
// The garbage-collected part of it alone, before a cycle marks.
void mcache_flushRuns(mcache* c);

// The kernel's memory with the books kept (mem.cpp).
void* sysAlloc(uintptr n, std::uint64_t* stat, bool quiet = false) GOSYM("runtime.sysAlloc");
void* sysReserve(void* v, uintptr n) GOSYM("runtime.sysReserve");
bool sysMap(void* v, uintptr n, std::uint64_t* stat, bool quiet) GOSYM("runtime.sysMap");  // false only if quiet
[[noreturn]] void outOfMemory(uintptr n);

// The arena that an address lies in, null if none. Any thread, signal handlers too.
ALWAYS_INLINE heapArena* arenaOf(uintptr p) {
  if (UNLIKELY(p >> 48)) return nullptr;
  heapArena** l2 = atomic::LoadAcq(&arenas[p >> (arenaShift + arenaL2Bits)]);
  return l2 == nullptr ? nullptr : atomic::LoadAcq(&l2[(p >> arenaShift) % arenaL2Entries]);
}

ALWAYS_INLINE std::uint8_t* pageFlags(uintptr p) { return &arenaOf(p)->flags[(p >> pageShift) % pagesPerArena]; }

ALWAYS_INLINE mspan* spanOf(uintptr p) {
  heapArena* a = arenaOf(p);
  return a == nullptr ? nullptr : a->spans[(p >> pageShift) % pagesPerArena];
}
ALWAYS_INLINE std::uint32_t objIndex(const mspan* s, uintptr p) {
  return static_cast<std::uint32_t>((static_cast<std::uint64_t>(p - s->startAddr) * s->divMul) >> 32);
}

inline void spanInsert(mSpanList* l, mspan* s) {
  s->next = l->first;
  s->prev = nullptr;
  if (l->first != nullptr)
    l->first->prev = s;
  else
    l->last = s;
  l->first = s;
}
inline void spanRemove(mSpanList* l, mspan* s) {
  if (s->prev != nullptr)
    s->prev->next = s->next;
  else
    l->first = s->next;
  if (s->next != nullptr)
    s->next->prev = s->prev;
  else
    l->last = s->prev;
  s->next = s->prev = nullptr;
}

}  // namespace runtime
