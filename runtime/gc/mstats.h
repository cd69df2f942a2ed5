// GC and ReadMemStats as programs use them. Users' programs include this header through boot/mem.h.
#pragma once

#include <cstdint>

namespace runtime {

// Collects now, and returns when all is swept.
void GC() __asm__("runtime.GC");

// Fields that mean what Go's do; bytes. Objects of operator new and malloc count in HeapInuse and ManualInuse only.
struct MemStats {
  std::uint64_t Alloc, TotalAlloc, Sys, Mallocs, Frees;
  std::uint64_t HeapAlloc, HeapSys, HeapIdle, HeapInuse, HeapReleased, HeapObjects;
  std::uint64_t StackInuse, StackSys, OtherSys;
  std::uint64_t ManualInuse;  // in spans of operator new and malloc; not Go's
  std::uint64_t NextGC, LastGC, PauseTotalNs;
  std::uint64_t PauseNs[256], PauseEnd[256];
  std::uint32_t NumGC, NumForcedGC;
  double GCCPUFraction;
  bool EnableGC;
};
void ReadMemStats(MemStats* m) __asm__("runtime.ReadMemStats");

}  // namespace runtime
