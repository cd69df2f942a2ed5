// Figures about memory: ReadMemStats and the line of GODEBUG=gctrace=1, both as Go has them. (Go's mstats.go.)
#pragma GCC optimize("Os")
#include "runtime/gc/mstats.h"

#include "runtime/gc/mgcwork.h"
#include "runtime/mem/stack.h"

namespace runtime {

BIGTABLE gcPauses pauses;

namespace {

// One line put together from texts and numbers. (A format string with twenty arguments takes 1.6 KB of code.)
struct lineText {
  std::size_t n = 0;
  char s[400];
  [[gnu::noinline]] void text(const char* t) {
    while (*t != 0 && n < sizeof s) s[n++] = *t++;
  }
  [[gnu::noinline]] void num(const char* before, std::uint64_t v, std::uint32_t width = 1) {
    text(before);
    char d[20];
    std::uint32_t k = 0;
    for (; v != 0 || k < width; v /= 10) d[k++] = static_cast<char>('0' + v % 10);
    while (k > 0 && n < sizeof s) s[n++] = d[--k];
  }
  // Milliseconds as Go's trace has them: two digits that count, none behind the point from 10 up.
  [[gnu::noinline]] void ms(const char* before, std::int64_t ns) {
    auto us = static_cast<std::uint64_t>(ns < 0 ? 0 : ns) / 1000;
    std::uint64_t unit = 1;  // µs that the last digit shown stands for
    std::uint32_t digits = 3;
    for (; us >= 100 * unit && digits > 0; digits--) unit *= 10;
    num(before, us / 1000);
    if (us != 0 && digits != 0) num(".", us % 1000 / unit, digits);
  }
};

}  // namespace

// gc 1 @0.012s 2%: sweep termination+mark+mark termination ms clock, the same in processor time with the marking split
// into assist/background/idle, heap at the start->at the end->live, goal, stacks, globals, Ps.
void gctraceLine(bool forced, std::uint64_t heap1, std::uint64_t heap2, std::uint64_t goal) {
  std::int64_t stw = work.tMark - work.tSweepTerm, mark = work.tMarkTerm - work.tMark,
               term = work.tEnd - work.tMarkTerm;
  if (work.last) {  // a second look at stacks has stopped the world in the middle of the marking
    mark -= work.stopTime - stw;
    stw = work.stopTime;
  }
  auto at = static_cast<std::uint64_t>(work.tSweepTerm - runtimeInitTime) / 1000000;
  lineText l;
  l.num("gc ", pauses.num);
  l.num(" @", at / 1000);
  l.num(".", at % 1000, 3);
  l.num("s ", static_cast<std::uint64_t>(gcController.cpuFraction * 100));
  l.ms("%: ", stw);
  l.ms("+", mark);
  l.ms("+", term);
  l.ms(" ms clock, ", stw * gomaxprocs);
  l.ms("+", work.last ? work.assistTime : mark);
  l.ms("/", work.idleTime);
  l.ms("/", 0);
  l.ms("+", term * gomaxprocs);
  l.num(" ms cpu, ", work.heap0 >> 20);
  l.num("->", heap1 >> 20);
  l.num("->", heap2 >> 20);
  l.num(" MB, ", goal == ~std::uint64_t{0} ? 0 : goal >> 20);
  l.num(" MB goal, ", gcController.stackScan >> 20);
  l.num(" MB stacks, ", gcController.globalsScan >> 20);
  l.num(" MB globals, ", static_cast<std::uint64_t>(gomaxprocs));
  l.text(forced ? " P (forced)\n" : " P\n");
  writeErr(l.s, l.n);
}

LANDMARK void ReadMemStats(MemStats* out) {
  NEEDS_P(ReadMemStats(out));
  stopTheWorld("read mem stats");
  mstats& s = mheap_.stats;
  MemStats m{};
  std::uint64_t mallocs = s.mallocs, bytes = s.mallocBytes, tiny = s.tinyAllocs;
  auto count = [&](mcache* c) {
    mcache_flushRuns(c);
    mallocs += c->mallocs;
    bytes += c->mallocBytes;
    tiny += c->tinyAllocs;
  };
  systemstack([&] {
    for (std::int32_t i = 0; i < gomaxprocs; i++) count(allp.array[i]->mcache);
    lock(&mheap_.noPlock);
    if (mheap_.noP != nullptr) count(mheap_.noP);
    unlock(&mheap_.noPlock);
  });
  m.Mallocs = mallocs + tiny;
  m.Frees = s.frees + tiny;
  m.TotalAlloc = bytes;
  m.HeapAlloc = m.Alloc = bytes - s.freeBytes;
  m.HeapObjects = m.Mallocs - m.Frees;
  m.HeapSys = s.heapSys;
  m.HeapInuse = s.heapInuse;
  m.HeapIdle = s.heapSys - s.heapInuse;
  m.HeapReleased = s.heapReleased;
  m.ManualInuse = s.manualInuse;
  stackstats st = readstackstats();
  m.StackSys = s.stackSys;
  m.StackInuse = st.inuse * kStackSlot;
  m.OtherSys = s.otherSys;
  m.Sys = s.heapSys + s.otherSys + s.stackSys;
  m.NextGC = gcController.heapGoal;
  m.LastGC = pauses.num != 0 ? pauses.end[(pauses.num + 255) % 256] : 0;
  m.PauseTotalNs = pauses.total;
  for (int i = 0; i < 256; i++) m.PauseNs[i] = pauses.ns[i], m.PauseEnd[i] = pauses.end[i];
  m.NumGC = pauses.num;
  m.NumForcedGC = pauses.forced;
  m.GCCPUFraction = gcController.cpuFraction;
  m.EnableGC = true;
  startTheWorld();
  *out = m;
}

}  // namespace runtime
