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
#include "runtime/os/elfimage.h"

extern "C" {

// Where the linker put the ELF header: the first byte of the image.
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));
extern const char _end[] __attribute__((visibility("hidden")));

void* __cxa_get_globals() noexcept { return runtime::getg()->eh_globals; }
void* __cxa_get_globals_fast() noexcept { return runtime::getg()->eh_globals; }

// The program's own headers; none if they are damaged, and then nothing can be thrown.
static runtime::elfimage program() {
  auto lo = reinterpret_cast<std::uintptr_t>(&__ehdr_start), hi = reinterpret_cast<std::uintptr_t>(_end);
  runtime::elfimage im;
  runtime::readELF(&im, lo, hi - lo);
  return im;
}

static const void* ehFrameHeader() {
  runtime::ehTables t;
  return runtime::unwindTables(program(), &t) ? t.hdr : nullptr;
}

int _dl_find_object(void* pc, dl_find_object* out) noexcept {
  static const void* header;  // found once; a race writes the same value twice
  auto at = reinterpret_cast<std::uintptr_t>(pc);
  auto lo = reinterpret_cast<std::uintptr_t>(&__ehdr_start), hi = reinterpret_cast<std::uintptr_t>(_end);
  if (at < lo || at >= hi) return -1;
  const void* h = __atomic_load_n(&header, __ATOMIC_RELAXED);
  if (h == nullptr) {
    h = ehFrameHeader();
    if (h == nullptr) return -1;
    __atomic_store_n(&header, h, __ATOMIC_RELAXED);
  }
  *out = {};
  out->dlfo_map_start = reinterpret_cast<void*>(lo);
  out->dlfo_map_end = reinterpret_cast<void*>(hi);
  out->dlfo_eh_frame = const_cast<void*>(h);
  return 0;
}

// The older way to the same tables, for unwinders built against a C library without _dl_find_object.
int dl_iterate_phdr(int (*fn)(dl_phdr_info*, size_t, void*), void* data) {
  runtime::elfimage im = program();
  dl_phdr_info info{};
  info.dlpi_addr = im.bias;
  info.dlpi_name = "";
  info.dlpi_phdr = im.phdr;
  info.dlpi_phnum = static_cast<ElfW(Half)>(im.phnum);
  info.dlpi_adds = 1;
  return fn(&info, sizeof info, data);
}

}  // extern "C"
