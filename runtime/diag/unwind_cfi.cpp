// Call frame information: its tables and its programs.
//
// The tables: .eh_frame_hdr is a sorted array of (start pc, address of its FDE), searched by halving. An FDE describes
// one function and refers to a CIE with what many have in common. Both hold programs of a little machine that, run up
// to a pc, say where the caller's registers are: at an offset from the canonical frame address (the caller's rsp), in
// another register, or at an address that a DWARF expression computes.
#include <elf.h>

#include "runtime/diag/unwind_dwarf.h"

extern "C" const Elf64_Ehdr __ehdr_start __attribute__((weak, visibility("hidden")));

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
  const std::uint8_t* ehHdr;
  uintptr textLo, textHi;
};
static image images[2];

static void load(image& im, uintptr at) {
  const Elf64_Ehdr* eh = reinterpret_cast<const Elf64_Ehdr*>(at);
  const Elf64_Phdr* ph = reinterpret_cast<const Elf64_Phdr*>(at + eh->e_phoff);
  uintptr bias = 0;
  for (int i = 0; i < eh->e_phnum; i++)
    if (ph[i].p_type == PT_LOAD && ph[i].p_offset == 0) bias = at - ph[i].p_vaddr;
  for (int i = 0; i < eh->e_phnum; i++) {
    if (ph[i].p_type == PT_GNU_EH_FRAME) im.ehHdr = reinterpret_cast<const std::uint8_t*>(ph[i].p_vaddr + bias);
    if (ph[i].p_type == PT_LOAD && (ph[i].p_flags & PF_X)) {
      im.textLo = ph[i].p_vaddr + bias;
      im.textHi = im.textLo + ph[i].p_memsz;
    }
  }
}

void unwindinit() {
  uintptr at = reinterpret_cast<uintptr>(&__ehdr_start);
  __asm__("" : "+r"(at));  // what lies behind the header is not in the object the compiler believes in
  if (at != 0) load(images[0], at);
  if (auxvSysinfoEhdr != 0) load(images[1], auxvSysinfoEhdr);
}

namespace dwarf {

// By the header's table; null if there is none.
static const std::uint8_t* searchHdr(const std::uint8_t* hdr, uintptr pc) {
  if (hdr == nullptr || hdr[0] != 1 || hdr[3] != 0x3b) return nullptr;  // version; table: datarel | sdata4
  const std::uint8_t* p = hdr + 4;
  uintptr base = reinterpret_cast<uintptr>(hdr);
  encoded(p, hdr[1], base);
  std::uint64_t n = encoded(p, hdr[2], base);
  struct entry {
    std::int32_t pc, fde;
  };
  auto entryAt = [&](std::uint64_t i) {
    entry e;
    __builtin_memcpy(&e, p + i * sizeof e, sizeof e);
    return e;
  };
  std::int64_t want = static_cast<std::int64_t>(pc - base);
  std::uint64_t lo = 0, hi = n;  // the last entry with e.pc <= want is in [lo-1, hi-1]
  while (lo < hi) {
    std::uint64_t mid = (lo + hi) / 2;
    if (entryAt(mid).pc <= want)
      lo = mid + 1;
    else
      hi = mid;
  }
  if (lo == 0) return nullptr;
  return hdr + entryAt(lo - 1).fde;
}

const std::uint8_t* findFDE(uintptr pc) {
  for (const image& im : images)
    if (pc >= im.textLo && pc < im.textHi) return searchHdr(im.ehHdr, pc);
  if (_dl_find_object != nullptr) {
    dl_find_object o{};
    if (_dl_find_object(reinterpret_cast<void*>(pc), &o) == 0)
      return searchHdr(static_cast<const std::uint8_t*>(o.dlfo_eh_frame), pc);
  }
  return nullptr;
}
bool parseCIE(const std::uint8_t* p, cie& c) {
  std::uint32_t len = fetch<std::uint32_t>(p);
  if (len == 0 || len == 0xffffffff) return false;
  c.end = p + len;
  p += 4;  // CIE id
  std::uint8_t version = *p++;
  const char* aug = reinterpret_cast<const char*>(p);
  while (*p++ != 0) {}
  c.codeAlign = uleb(p);
  c.dataAlign = sleb(p);
  c.raReg = version == 1 ? *p++ : uleb(p);
  c.fdeEnc = 0;
  c.signalFrame = false;
  c.augmented = aug[0] == 'z';
  if (c.augmented) {
    std::uint64_t n = uleb(p);
    const std::uint8_t* q = p;
    p += n;
    for (const char* a = aug + 1; *a != 0; a++) {
      if (*a == 'R')
        c.fdeEnc = *q++;
      else if (*a == 'L')
        q++;
      else if (*a == 'S')
        c.signalFrame = true;
      else if (*a == 'P') {
        std::uint8_t enc = *q++;
        encoded(q, enc, 0);
      } else
        break;
    }
  } else if (aug[0] != 0) {
    return false;
  }
  c.insns = p;
  return true;
}

bool runCFI(const std::uint8_t* p, const std::uint8_t* end, const cie& c, uintptr loc, uintptr pc, row& cur,
            const row* initial) {
  row saved[4];
  int depth = 0;
  auto put = [&](std::uint64_t reg, std::uint8_t kind, std::int64_t v) {
    if (reg < 17) cur.r[reg] = {kind, v, nullptr};
  };
  auto restore = [&](std::uint64_t reg) {
    if (reg < 17) cur.r[reg] = initial != nullptr ? initial->r[reg] : rule{kSame, 0, nullptr};
  };
  while (p < end) {
    std::uint8_t op = *p++;
    std::uint64_t a = op & 0x3f;
    std::uint64_t advance = 0;
    switch (op & 0xc0) {
      case 0x40:
        advance = a * c.codeAlign;
        break;
      case 0x80:
        put(a, kOffset, static_cast<std::int64_t>(uleb(p)) * c.dataAlign);
        continue;
      case 0xc0:
        restore(a);
        continue;
      default:
        break;
    }
    if ((op & 0xc0) == 0) {
      switch (op) {
        case 0x00:
          continue;
        case 0x01: {
          loc = encoded(p, c.fdeEnc, 0);
          if (loc > pc) return true;
          continue;
        }
        case 0x02:
          advance = fetch<std::uint8_t>(p) * c.codeAlign;
          break;
        case 0x03:
          advance = fetch<std::uint16_t>(p) * c.codeAlign;
          break;
        case 0x04:
          advance = fetch<std::uint32_t>(p) * c.codeAlign;
          break;
        case 0x05:
          a = uleb(p);
          put(a, kOffset, static_cast<std::int64_t>(uleb(p)) * c.dataAlign);
          continue;
        case 0x06:
          restore(uleb(p));
          continue;
        case 0x07:
          put(uleb(p), kUndef, 0);
          continue;
        case 0x08:
          put(uleb(p), kSame, 0);
          continue;
        case 0x09:
          a = uleb(p);
          put(a, kReg, static_cast<std::int64_t>(uleb(p)));
          continue;
        case 0x0a:
          if (depth == 4) return false;
          saved[depth++] = cur;
          continue;
        case 0x0b:
          if (depth == 0) return false;
          cur = saved[--depth];
          continue;
        case 0x0c:
          cur.cfaReg = uleb(p);
          cur.cfaOff = static_cast<std::int64_t>(uleb(p));
          cur.cfaExpr = nullptr;
          continue;
        case 0x0d:
          cur.cfaReg = uleb(p);
          cur.cfaExpr = nullptr;
          continue;
        case 0x0e:
          cur.cfaOff = static_cast<std::int64_t>(uleb(p));
          continue;
        case 0x0f:
          cur.cfaExpr = p;
          a = uleb(p);
          p += a;
          continue;
        case 0x10:
        case 0x16: {
          a = uleb(p);
          const std::uint8_t* e = p;
          std::uint64_t n = uleb(p);
          p += n;
          if (a < 17) cur.r[a] = {op == 0x10 ? kExpr : kValExpr, 0, e};
          continue;
        }
        case 0x11:
          a = uleb(p);
          put(a, kOffset, sleb(p) * c.dataAlign);
          continue;
        case 0x12:
          cur.cfaReg = uleb(p);
          cur.cfaOff = sleb(p) * c.dataAlign;
          cur.cfaExpr = nullptr;
          continue;
        case 0x13:
          cur.cfaOff = sleb(p) * c.dataAlign;
          continue;
        case 0x14:
          a = uleb(p);
          put(a, kValOffset, static_cast<std::int64_t>(uleb(p)) * c.dataAlign);
          continue;
        case 0x15:
          a = uleb(p);
          put(a, kValOffset, sleb(p) * c.dataAlign);
          continue;
        case 0x2e:
          uleb(p);
          continue;  // GNU_args_size
        case 0x2f:
          a = uleb(p);
          put(a, kOffset, -static_cast<std::int64_t>(uleb(p)) * c.dataAlign);
          continue;
        default:
          return false;
      }
    }
    loc += advance;
    if (loc > pc) return true;
  }
  return true;
}

}  // namespace dwarf

}  // namespace runtime
