// Finding a function in the vDSO's image: the little of a dynamic linker that this takes (vdso_linux.h).
//
// Program headers → dynamic section → symbol, string, version and hash tables. Newer kernels leave DT_HASH out, older
// ones DT_GNU_HASH; either serves.
#pragma GCC optimize("Os")  // runs once, or in a crash
#include "runtime/os/vdso_linux.h"

namespace runtime {

namespace {

constexpr char kVersion[] = "LINUX_2.6";

constexpr std::uint32_t sysvHash(std::string_view s) {
  std::uint32_t h = 0;
  for (char c : s) {
    h = (h << 4) + static_cast<std::uint8_t>(c);
    std::uint32_t top = h & 0xf0000000;
    h = (h ^ (top >> 24)) & ~top;
  }
  return h;
}
constexpr std::uint32_t gnuHash(std::string_view s) {
  std::uint32_t h = 5381;
  for (char c : s) h = h * 33 + static_cast<std::uint8_t>(c);
  return h;
}
static_assert(sysvHash(kVersion) == 0x3ae75f6 && gnuHash("__vdso_clock_gettime") == 0x6e43a318);

// Reads the T at a; false if the image does not hold one there.
template <class T>
bool load(const vdsoInfo& v, uintptr a, T* out) {
  if (a < v.base || a >= v.end || v.end - a < sizeof *out) return false;
  __builtin_memcpy(out, reinterpret_cast<const void*>(a), sizeof *out);
  return true;
}
template <class T>
bool loadAt(const vdsoInfo& v, uintptr table, std::uint64_t i, T* out) {
  return load(v, table + i * sizeof *out, out);
}

// Is the string at offset off of the string table this one?
bool isString(const vdsoInfo& v, std::uint32_t off, std::string_view s) {
  uintptr a = v.strings + off;
  if (a < v.base || a >= v.end || v.end - a <= s.size()) return false;  // with its zero
  auto p = reinterpret_cast<const char*>(a);
  return std::string_view(p, s.size()) == s && p[s.size()] == 0;
}

// Does symbol i define `name` in `version`? Then its address, else 0.
uintptr symbolAt(const vdsoInfo& v, std::uint32_t i, std::string_view name, std::int32_t version) {
  Elf64_Sym s;
  if (!loadAt(v, v.symtab, i, &s)) return 0;
  int type = ELF64_ST_TYPE(s.st_info), bind = ELF64_ST_BIND(s.st_info);
  if (type != STT_FUNC || (bind != STB_GLOBAL && bind != STB_WEAK) || s.st_shndx == SHN_UNDEF) return 0;
  if (!isString(v, s.st_name, name)) return 0;
  if (v.versym != 0 && version != 0) {
    std::uint16_t has;
    if (!loadAt(v, v.versym, i, &has) || (has & 0x7fff) != version) return 0;
  }
  uintptr at = v.loadOffset + s.st_value;
  return at >= v.base && at < v.end ? at : 0;
}

}  // namespace

BOOTMARK void vdsoInitFromSysinfoEhdr(vdsoInfo* v, const Elf64_Ehdr* hdr, uintptr readable) {
  *v = vdsoInfo{};
  elfimage im;
  v->base = reinterpret_cast<uintptr>(hdr);
  if (readELF(&im, v->base, readable < kELFHeaderPage ? readable : kELFHeaderPage) != elfstate::good) return;
  const Elf64_Phdr *text = headerOf(im, PT_LOAD), *dynamic = headerOf(im, PT_DYNAMIC);
  if (text == nullptr || dynamic == nullptr) return;
  if (text->p_offset > readable || text->p_memsz > readable - text->p_offset) return;
  v->loadOffset = v->base + text->p_offset - text->p_vaddr;
  v->end = v->base + text->p_offset + text->p_memsz;

  uintptr sysv = 0, gnu = 0;
  Elf64_Dyn dyn;
  for (uintptr at = v->base + dynamic->p_offset; load(*v, at, &dyn) && dyn.d_tag != DT_NULL; at += sizeof dyn) {
    uintptr p = v->loadOffset + dyn.d_un.d_ptr;
    switch (dyn.d_tag) {
      case DT_STRTAB:
        v->strings = p;
        break;
      case DT_SYMTAB:
        v->symtab = p;
        break;
      case DT_HASH:
        sysv = p;
        break;
      case DT_GNU_HASH:
        gnu = p;
        break;
      case DT_VERSYM:
        v->versym = p;
        break;
      case DT_VERDEF:
        v->verdef = p;
        break;
    }
  }
  if (v->strings == 0 || v->symtab == 0) return;
  if (v->verdef == 0) v->versym = 0;

  if (gnu != 0) {
    std::uint32_t bloomWords;
    if (!load(*v, gnu, &v->nbucket) || !load(*v, gnu + 4, &v->symOff) || !load(*v, gnu + 8, &bloomWords)) return;
    v->bucket = gnu + 16 + uintptr{bloomWords} * 8;  // the Bloom filter's words have 64 bits
    v->isGNUHash = true;
  } else if (sysv != 0) {
    if (!load(*v, sysv, &v->nbucket)) return;
    v->bucket = sysv + 8;
  }
  v->chain = v->bucket + uintptr{v->nbucket} * 4;
  v->valid = v->nbucket != 0;
}

BOOTMARK std::int32_t vdsoFindVersion(const vdsoInfo* v) {
  if (!v->valid || v->verdef == 0) return 0;
  Elf64_Verdef def;
  for (uintptr at = v->verdef; load(*v, at, &def); at += def.vd_next) {
    Elf64_Verdaux aux;
    if ((def.vd_flags & VER_FLG_BASE) == 0 && def.vd_hash == sysvHash(kVersion) && load(*v, at + def.vd_aux, &aux) &&
        isString(*v, aux.vda_name, kVersion))
      return def.vd_ndx & 0x7fff;
    if (def.vd_next == 0) break;
  }
  return -1;  // a version that no symbol has
}

uintptr vdsoLookup(const vdsoInfo* v, std::string_view name, std::int32_t version) {
  if (!v->valid) return 0;
  std::uint32_t hash = v->isGNUHash ? gnuHash(name) : sysvHash(name), i;
  if (!loadAt(*v, v->bucket, hash % v->nbucket, &i)) return 0;
  if (!v->isGNUHash) {
    // A chain holds no symbol twice, and there are no more symbols than words: else it runs in a circle.
    for (uintptr left = (v->end - v->base) / 4; i != 0 && left > 0; left--) {
      if (uintptr p = symbolAt(*v, i, name, version)) return p;
      if (!loadAt(*v, v->chain, i, &i)) return 0;
    }
    return 0;
  }
  if (i < v->symOff) return 0;  // an empty bucket
  for (std::uint32_t h; loadAt(*v, v->chain, i - v->symOff, &h); i++) {
    if ((h | 1) == (hash | 1))
      if (uintptr p = symbolAt(*v, i, name, version)) return p;
    if ((h & 1) != 0) return 0;  // the chain's last
  }
  return 0;
}

}  // namespace runtime
