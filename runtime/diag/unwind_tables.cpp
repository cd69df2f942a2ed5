// Where the unwind tables of a pc lie: in the program, in the vDSO, or in a shared object that libc knows of.
//
// Owns: the tables of the first two, found at the start. All else of the walk is pure.
#include "runtime/diag/unwind.h"
#include "runtime/os/elfimage.h"

extern "C" {
extern const Elf64_Ehdr __ehdr_start __attribute__((weak, visibility("hidden")));
extern char _end[] __attribute__((weak, visibility("hidden")));
}

// glibc 2.35 and later: finds the unwind table of the object a pc lies in, without locks. Absent in pure mode.
struct dl_find_object {
  unsigned long long dlfo_flags;
  void* dlfo_map_start;
  void* dlfo_map_end;
  void* dlfo_link_map;
  void* dlfo_eh_frame;
  unsigned long long dlfo_reserved[7];
};
extern "C" int _dl_find_object(void*, dl_find_object*) __attribute__((weak));

namespace runtime {

// An ELF image whose tables are known from the start: the program, and the code the kernel maps (vDSO). init.
struct image {
  ehTables tables;
  uintptr textLo, textHi;
};
static image images[2];

static void load(image& im, uintptr at, uintptr readable) {
  elfimage elf;
  readELF(&elf, at, readable);
  for (uintptr i = 0; i < elf.phnum; i++) {
    const Elf64_Phdr& ph = elf.phdr[i];
    if (ph.p_type != PT_LOAD || (ph.p_flags & PF_X) == 0) continue;
    im.textLo = ph.p_vaddr + elf.bias;
    im.textHi = im.textLo + ph.p_memsz;
  }
  unwindTables(elf, &im.tables);
}

void unwindinit() {
  uintptr at = reinterpret_cast<uintptr>(&__ehdr_start), end = reinterpret_cast<uintptr>(_end);
  __asm__("" : "+r"(at));  // what lies behind the header is not in the object the compiler believes in
  if (at != 0) load(images[0], at, end > at ? end - at : kELFHeaderPage);
  if (auxvSysinfoEhdr != 0) load(images[1], auxvSysinfoEhdr, kELFHeaderPage);
}

// False if no image known has any.
static bool findTables(uintptr pc, ehTables* t) {
  for (const image& im : images) {
    if (pc < im.textLo || pc >= im.textHi) continue;
    *t = im.tables;
    return t->hdr != nullptr;
  }
  if (_dl_find_object == nullptr) return false;
  dl_find_object o{};
  if (_dl_find_object(reinterpret_cast<void*>(pc), &o) != 0) return false;
  // How long the header is nobody says; both tables lie in what is mapped.
  auto lo = static_cast<const std::uint8_t*>(o.dlfo_map_start), hi = static_cast<const std::uint8_t*>(o.dlfo_map_end);
  auto hdr = static_cast<const std::uint8_t*>(o.dlfo_eh_frame);
  if (hdr < lo || hdr >= hi) return false;
  *t = {hdr, hi, lo, hi};
  return true;
}

bool unwinder::step() {
  ehTables t;
  return stepBy(findTables(lookuppc(), &t) ? &t : nullptr);
}

}  // namespace runtime
