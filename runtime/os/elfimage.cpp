// See elfimage.h.
#pragma GCC optimize("Os")  // runs once, or in a crash
#include "runtime/os/elfimage.h"

#include "runtime/base/cursor.h"

namespace runtime {

elfstate readELF(elfimage* im, uintptr base, uintptr readable) {
  *im = {base, 0, nullptr, 0};
  cursor p(reinterpret_cast<const std::uint8_t*>(base), readable);
  auto eh = p.get<Elf64_Ehdr>();
  if (!p.ok || __builtin_memcmp(eh.e_ident, ELFMAG, SELFMAG) != 0 || eh.e_ident[EI_CLASS] != ELFCLASS64 ||
      eh.e_machine != EM_X86_64)
    return elfstate::badHeader;
  uintptr at = base + eh.e_phoff;
  if (eh.e_phentsize != sizeof(Elf64_Phdr) || eh.e_phnum == 0 || eh.e_phoff > readable ||
      (readable - eh.e_phoff) / sizeof(Elf64_Phdr) < eh.e_phnum || at % alignof(Elf64_Phdr) != 0)
    return elfstate::badProgramHeaders;
  im->phdr = reinterpret_cast<const Elf64_Phdr*>(at);
  im->phnum = eh.e_phnum;
  // The segment that holds the file's first byte tells where the image was put.
  for (uintptr i = 0; i < im->phnum; i++)
    if (im->phdr[i].p_type == PT_LOAD && im->phdr[i].p_offset == 0) im->bias = base - im->phdr[i].p_vaddr;
  return elfstate::good;
}

bool segmentWith(const elfimage& im, uintptr a, uintptr n, uintptr* lo, uintptr* hi) {
  for (uintptr i = 0; i < im.phnum; i++) {
    const Elf64_Phdr& ph = im.phdr[i];
    uintptr off = a - (im.bias + ph.p_vaddr);
    if (ph.p_type != PT_LOAD || (ph.p_flags & PF_R) == 0 || off >= ph.p_memsz || n > ph.p_memsz - off) continue;
    *lo = im.bias + ph.p_vaddr;
    *hi = *lo + ph.p_memsz;
    return *lo < *hi;
  }
  return false;
}

const Elf64_Phdr* headerOf(const elfimage& im, std::uint32_t type) {
  for (uintptr i = 0; i < im.phnum; i++)
    if (im.phdr[i].p_type == type) return &im.phdr[i];
  return nullptr;
}

bool unwindTables(const elfimage& im, ehTables* t) {
  *t = {};
  const Elf64_Phdr* ph = headerOf(im, PT_GNU_EH_FRAME);
  if (ph == nullptr) return false;
  uintptr hdr = im.bias + ph->p_vaddr, lo, hi;
  if (!segmentWith(im, hdr, ph->p_memsz, &lo, &hi)) return false;
  cursor p(reinterpret_cast<const std::uint8_t*>(hdr), ph->p_memsz);
  t->hdr = p.p;
  t->hdrEnd = p.end;
  // .eh_frame lies in the same segment, as a rule; its address tells when it does not. Every linker for this machine
  // writes that in one form: four bytes, counted from where they stand.
  constexpr std::uint8_t kPcrelSdata4 = 0x1b;
  p.skip(1);
  auto enc = p.get<std::uint8_t>();
  p.skip(2);
  if (enc == kPcrelSdata4) {
    uintptr at = reinterpret_cast<uintptr>(p.p);
    at += static_cast<uintptr>(std::int64_t{p.get<std::int32_t>()});
    if (!p.ok || !segmentWith(im, at, 1, &lo, &hi)) return false;
  }
  t->lo = reinterpret_cast<const std::uint8_t*>(lo);
  t->hi = reinterpret_cast<const std::uint8_t*>(hi);
  return true;
}

}  // namespace runtime
