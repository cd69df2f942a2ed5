// The heap as the layers above see it.
#pragma once

#include "runtime/base/stubs.h"

namespace runtime {

// schedinit: reserves the first arena, sets up the span and page allocators and mcache0.
void mallocinit() GOSYM("runtime.mallocinit");
mcache* allocmcache() GOSYM("runtime.allocmcache");
extern mcache* mcache0 GOSYM("runtime.mcache0");  // before procresize; then p0 has it and this is null
void freemcache(mcache* c) GOSYM("runtime.freemcache");

// Allocation flags. A garbage-collected object is found from roots; a manual one (operator new, malloc) is freed by hand,
// is never swept, and is itself a root, scanned conservatively unless kNoscan.
enum : std::uint32_t { kNoscan = 1, kNeedzero = 2, kManual = 4 };

// No object can be larger than the address space. A request for more is refused before anything is reckoned with it.
constexpr uintptr maxAlloc = uintptr{1} << 47;

// n bytes, 16-byte aligned for n >= 16 (8 for smaller). Throws (fatal) Go's text when out of memory; above maxAlloc it
// panics.
void* mallocgc(std::size_t n, std::uint32_t flags) GOSYM("runtime.mallocgc");
// As mallocgc but null when memory is refused; for malloc/operator new(nothrow).
void* mallocManual(std::size_t n, std::size_t align, bool zero);
// Frees what mallocManual gave; fatal on a double free or a foreign pointer. Null is ignored.
void freeManual(void* p) GOSYM("runtime.freeManual");
std::size_t usableSize(const void* p);  // of a block from mallocManual

// Memory that is never freed, zeroed. Works from mallocinit on, on any stack.
void* persistentalloc(uintptr size, uintptr align) GOSYM("runtime.persistentalloc");
void* persistentallocQuiet(uintptr size, uintptr align);  // null when memory is refused

}  // namespace runtime
