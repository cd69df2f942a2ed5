// What exceptions need from their surroundings: state per goroutine, and where the unwind tables lie.
//
// Owns: __cxa_get_globals, _dl_find_object, dl_iterate_phdr. What ends the program after an uncaught exception is in
// boot/unhandled.cpp.
//
// Invariants
//   - The stack of caught exceptions and the count of uncaught ones belong to the running goroutine (g.eh_globals), not
//     to the thread: a goroutine may yield inside a catch block and go on to rethrow on another thread. g0 and gsignal
//     have a g too, so code on them throws into words of its own.
//   - Both __cxa_get_globals and its _fast twin are defined here; with only one of them libsupc++'s object would be
//     linked as well, and bring its thread_local state back.
//   - _dl_find_object is called for each frame of each throw: it compares two addresses and copies a ready answer.
//     Nothing is locked, since a static program never loads another object.
#include <cstddef>
#include <cstdint>

#include <link.h>

#include "runtime/base/stubs.h"

extern "C" {

// Where the linker put the ELF header: the first byte of the image.
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));
extern const char _end[] __attribute__((visibility("hidden")));

void* __cxa_get_globals() noexcept { return runtime::getg()->eh_globals; }
void* __cxa_get_globals_fast() noexcept { return runtime::getg()->eh_globals; }

static const ElfW(Phdr) * programHeaders() {
  return reinterpret_cast<const ElfW(Phdr)*>(reinterpret_cast<const char*>(&__ehdr_start) + __ehdr_start.e_phoff);
}

// What is added to the addresses in the program headers: 0, or where a static PIE was put.
static ElfW(Addr) loadBias() {
  const ElfW(Phdr)* ph = programHeaders();
  for (unsigned i = 0; i < __ehdr_start.e_phnum; i++) {
    if (ph[i].p_type == PT_LOAD && ph[i].p_offset == 0)
      return reinterpret_cast<ElfW(Addr)>(&__ehdr_start) - ph[i].p_vaddr;
  }
  return 0;
}

static void* ehFrameHeader() {
  const ElfW(Phdr)* ph = programHeaders();
  for (unsigned i = 0; i < __ehdr_start.e_phnum; i++) {
    if (ph[i].p_type == PT_GNU_EH_FRAME) return reinterpret_cast<void*>(loadBias() + ph[i].p_vaddr);
  }
  return nullptr;
}

int _dl_find_object(void* pc, dl_find_object* out) noexcept {
  static void* header;  // found once; a race writes the same value twice
  auto at = reinterpret_cast<std::uintptr_t>(pc);
  auto lo = reinterpret_cast<std::uintptr_t>(&__ehdr_start), hi = reinterpret_cast<std::uintptr_t>(_end);
  if (at < lo || at >= hi) return -1;
  void* h = __atomic_load_n(&header, __ATOMIC_RELAXED);
  if (h == nullptr) {
    h = ehFrameHeader();
    if (h == nullptr) return -1;
    __atomic_store_n(&header, h, __ATOMIC_RELAXED);
  }
  *out = {};
  out->dlfo_map_start = reinterpret_cast<void*>(lo);
  out->dlfo_map_end = reinterpret_cast<void*>(hi);
  out->dlfo_eh_frame = h;
  return 0;
}

// The older way to the same tables, for unwinders built against a C library without _dl_find_object.
int dl_iterate_phdr(int (*fn)(dl_phdr_info*, size_t, void*), void* data) {
  dl_phdr_info info{};
  info.dlpi_addr = loadBias();
  info.dlpi_name = "";
  info.dlpi_phdr = programHeaders();
  info.dlpi_phnum = __ehdr_start.e_phnum;
  info.dlpi_adds = 1;
  return fn(&info, sizeof info, data);
}

}  // extern "C"
