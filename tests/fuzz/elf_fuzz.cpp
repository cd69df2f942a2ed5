// Program headers, and by them .eh_frame_hdr, .eh_frame and a step from each address that the tables name.
//
// A PT_LOAD of a running program is mapped, whatever its header says, for the kernel has read the same one. So those that
// lead out of the image are no segments here.
// SOURCES: runtime/os/elfimage.cpp runtime/diag/unwind.cpp runtime/diag/unwind_cfi.cpp runtime/diag/unwind_expr.cpp
#include "runtime/diag/unwind_dwarf.h"
#include "runtime/os/elfimage.h"
#include "tests/fuzz/fuzz.h"

using namespace runtime;

FUZZ(elf) {
  auto readable = in.get<std::uint16_t>();
  auto image = in.rest();
  auto base = reinterpret_cast<uintptr>(image.begin()), end = base + image.size;
  elfimage im;
  if (readELF(&im, base, readable < image.size ? readable : image.size) != elfstate::good) {
    FUZZ_RULE(im.phnum == 0);
    return;
  }
  auto ph = reinterpret_cast<uintptr>(im.phdr);
  FUZZ_RULE(ph >= base && ph <= end && im.phnum <= (end - ph) / sizeof(Elf64_Phdr));
  for (uintptr i = 0; i < im.phnum; i++) {
    auto& h = const_cast<Elf64_Phdr&>(im.phdr[i]);
    uintptr lo = im.bias + h.p_vaddr;
    if (h.p_type == PT_LOAD && (lo < base || lo > end || h.p_memsz > end - lo)) h.p_type = PT_NULL;
  }
  uintptr lo, hi;
  for (uintptr a : {base - 1, base, base + 64, end - 1, end}) {
    if (!segmentWith(im, a, 1, &lo, &hi)) continue;
    FUZZ_RULE(a >= base && a < end && lo >= base && lo <= a && a < hi && hi <= end);
  }
  ehTables t;
  if (!unwindTables(im, &t)) return;
  FUZZ_RULE(t.hdr >= image.begin() && t.hdrEnd <= image.end() && t.lo >= image.begin() && t.hi <= image.end());
  stackbounds none{};
  for (const std::uint8_t* p = t.hdr + 12; p + 8 <= t.hdrEnd && p < t.hdr + 12 + 64 * 8; p += 8) {
    std::int32_t off;
    std::memcpy(&off, p, sizeof off);
    unwregs r{};
    r.r[kRip] = reinterpret_cast<uintptr>(t.hdr) + static_cast<uintptr>(std::int64_t{off});
    r.r[kRsp] = base;
    unwinder u(r, none, true);
    for (int i = 0; i < 20 && u.stepBy(&t); i++) {}
  }
}
