// Checking and listing the images in memory (base/symtab.h).
//
// A program that was linked without --eh-frame-hdr, stripped with a careless tool, or built with a linker that lays
// things out in its own way would run well until its first exception or collection. Here it ends at once, with a text
// that says why.
//
// The headers are read from __ehdr_start, which the linker defines: the auxiliary vector describes another image when the
// program was started through a loader.
#include "runtime/base/bootstep.h"
#include "runtime/base/panic.h"
#include "runtime/base/print.h"
#include "runtime/base/runtime1.h"
#include "runtime/os/elfimage.h"
#include "runtime/os/os_linux.h"

extern "C" {
extern const Elf64_Ehdr __ehdr_start __attribute__((weak, visibility("hidden")));
extern char __bss_start[] __attribute__((weak, visibility("hidden")));
extern char _end[] __attribute__((weak, visibility("hidden")));
}

namespace runtime {

constinit moduledata firstmoduledata{};
constinit moduledata* modulesSlice = nullptr;

namespace {

constinit moduledata vdsomodule{};

// How .eh_frame_hdr begins, and the encodings that every linker for this machine writes: a 4-byte address of .eh_frame,
// then a count, then pairs of 4-byte offsets (start of a function, its entry), sorted by the first.
struct ehFrameHdr {
  std::uint8_t version, framePtrEnc, countEnc, tableEnc;
  std::int32_t framePtr;
  std::uint32_t count;
  struct {
    std::int32_t pc, fde;
  } table[];
};
constexpr std::uint8_t kPcrelSdata4 = 0x1b, kUdata4 = 0x03, kDatarelSdata4 = 0x3b;

template <class T>
bool within(T lo, T hi, T p) {
  return lo <= p && p < hi;
}

// Fills md from the program headers of an image.
void readHeaders(moduledata* md, const elfimage& im) {
  const Elf64_Phdr* ph = im.phdr;
  md->phdr = ph;
  md->phnum = im.phnum;
  md->bias = im.bias;
  unwindTables(im, &md->eh);
  for (uintptr i = 0; i < md->phnum; i++) {
    uintptr lo = md->bias + ph[i].p_vaddr, hi = lo + ph[i].p_memsz;
    switch (ph[i].p_type) {
      case PT_LOAD:
        if ((ph[i].p_flags & PF_X) != 0) md->text = lo, md->etext = hi;
        if ((ph[i].p_flags & PF_W) != 0) md->data = lo, md->edata = hi;
        break;
      case PT_TLS:
        md->tls = lo;
        md->tlsFileSize = ph[i].p_filesz;
        md->tlsSize = ph[i].p_memsz;
        md->tlsAlign = ph[i].p_align;
        break;
    }
  }
}

void verifySegments(const moduledata* md) {
  auto ph = static_cast<const Elf64_Phdr*>(md->phdr);
  uintptr last = 0;
  for (uintptr i = 0; i < md->phnum; i++) {
    if (ph[i].p_type != PT_LOAD) continue;
    if (ph[i].p_vaddr < last) throw_("program headers: segments not sorted by address");
    last = ph[i].p_vaddr + ph[i].p_memsz;
    if ((ph[i].p_flags & (PF_W | PF_X)) == (PF_W | PF_X))
      throw_("program headers: a segment is writable and executable");
  }
  uintptr here = reinterpret_cast<uintptr>(&moduledataverify1);
  if (!within(md->text, md->etext, here)) throw_("program headers: text lies outside the executable segment");
  if (!within(md->text, md->etext, mainPC)) throw_("program headers: runtime.main lies outside the executable segment");
  if (!within(md->data, md->edata, reinterpret_cast<uintptr>(&m0)))
    throw_("program headers: runtime.m0 lies outside the writable segment");
}

void verifyTLS(const moduledata* md, const elfimage& im) {
  if (md->tlsSize == 0) return;
  uintptr lo, hi;
  if (md->tlsFileSize != 0 && !segmentWith(im, md->tls, md->tlsFileSize, &lo, &hi))
    throw_("PT_TLS: lies outside the segments");
  if (md->tlsAlign != 0 && (md->tlsAlign & (md->tlsAlign - 1)) != 0) throw_("PT_TLS: alignment is not a power of two");
  if (md->tlsFileSize > md->tlsSize) throw_("PT_TLS: larger in the file than in memory");
}

// Every throw and every traceback searches this table by halving it.
void verifyUnwindTable(const moduledata* md, const elfimage& im) {
  if (headerOf(im, PT_GNU_EH_FRAME) == nullptr) throw_("no .eh_frame_hdr: link with -Wl,--eh-frame-hdr");
  auto at = reinterpret_cast<uintptr>(md->eh.hdr), size = reinterpret_cast<uintptr>(md->eh.hdrEnd) - at;
  if (md->eh.lo == nullptr) throw_(".eh_frame_hdr or .eh_frame lies outside the segments");
  auto h = reinterpret_cast<const ehFrameHdr*>(at);
  if (size < sizeof *h || at % alignof(ehFrameHdr) != 0) throw_(".eh_frame_hdr is cut short");
  if (h->version != 1 || h->framePtrEnc != kPcrelSdata4 || h->countEnc != kUdata4 || h->tableEnc != kDatarelSdata4) {
    printf("runtime: .eh_frame_hdr begins with {:#x} {:#x} {:#x} {:#x}\n", h->version, h->framePtrEnc, h->countEnc,
           h->tableEnc);
    throw_("unknown form of .eh_frame_hdr");
  }
  if (h->count == 0) throw_("empty .eh_frame_hdr");
  if (h->count > (size - sizeof *h) / sizeof h->table[0]) throw_(".eh_frame_hdr counts more than it holds");
  for (std::uint32_t i = 1; i < h->count; i++) {
    if (h->table[i - 1].pc < h->table[i].pc) continue;
    uintptr base = reinterpret_cast<uintptr>(h);
    printf("runtime: .eh_frame_hdr[{}] is {:#x}, [{}] is {:#x}\n", i - 1,
           base + static_cast<uintptr>(std::int64_t{h->table[i - 1].pc}), i,
           base + static_cast<uintptr>(std::int64_t{h->table[i].pc}));
    throw_(".eh_frame_hdr not sorted by address");
  }
}

// The collector takes the writable segment as roots; the linker's own marks must agree with it.
void verifyRoots(const moduledata* md) {
  uintptr bss = reinterpret_cast<uintptr>(__bss_start), end = reinterpret_cast<uintptr>(_end);
  if (bss == 0 || end == 0) return;  // a linker that defines no such marks
  if (bss > end) throw_("__bss_start lies behind _end");
  if (bss < md->data || end > ((md->edata + physPageSize - 1) & ~(physPageSize - 1)))
    throw_("data and bss lie outside the writable segment");
}

}  // namespace

BOOTMARK void moduledataverify1(moduledata* md) {
  const Elf64_Ehdr* eh = &__ehdr_start;
  __asm__("" : "+r"(eh));  // more lies behind it than its type says
  if (eh == nullptr) throw_("no ELF header in memory");
  elfimage im;
  uintptr base = reinterpret_cast<uintptr>(eh), end = reinterpret_cast<uintptr>(_end);
  switch (readELF(&im, base, end > base ? end - base : kELFHeaderPage)) {
    case elfstate::badHeader:
      throw_("bad ELF header");
    case elfstate::badProgramHeaders:
      throw_("bad program headers");
    case elfstate::good:
      break;
  }
  readHeaders(md, im);
  verifySegments(md);
  verifyTLS(md, im);
  verifyUnwindTable(md, im);
  verifyRoots(md);
}

BOOTMARK void moduledataverify() {
  firstmoduledata.name = "";
  moduledataverify1(&firstmoduledata);
  const moduledata& md = firstmoduledata;
  BOOTSTEP("runtime.moduledataverify", "#text,#etext,#data,tls_bytes", md.text, md.etext, md.data, md.tlsSize);
}

BOOTMARK void modulesinit() {
  std::int32_t n = 1;
  modulesSlice = &firstmoduledata;
  if (auxvSysinfoEhdr != 0) {
    vdsomodule.name = "[vdso]";
    elfimage im;
    if (readELF(&im, auxvSysinfoEhdr, kELFHeaderPage) == elfstate::good) readHeaders(&vdsomodule, im);
    if (vdsomodule.text != 0) {
      firstmoduledata.next = &vdsomodule;
      n++;
    }
  }
  BOOTSTEP("runtime.modulesinit", "modules,#vdso_text,#vdso_etext", n, vdsomodule.text, vdsomodule.etext);
}

const moduledata* findmoduledatap(uintptr pc) {
  for (const moduledata* md = modulesSlice; md != nullptr; md = md->next)
    if (within(md->text, md->etext, pc)) return md;
  return nullptr;
}

}  // namespace runtime
