// Finding a function in the vDSO's image: the little of a dynamic linker that this takes (vdso_linux.h).
//
// Program headers → dynamic section → symbol, string, version and hash tables. Newer kernels leave DT_HASH out, older
// ones DT_GNU_HASH; either serves.
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

template <class T>
const T* at(uintptr a) {
  return reinterpret_cast<const T*>(a);
}

// Does symbol i define `name` in `version`? Then its address, else 0.
uintptr symbolAt(const vdsoInfo& v, std::uint32_t i, std::string_view name, std::int32_t version) {
  const Elf64_Sym& s = v.symtab[i];
  int type = ELF64_ST_TYPE(s.st_info), bind = ELF64_ST_BIND(s.st_info);
  if (type != STT_FUNC || (bind != STB_GLOBAL && bind != STB_WEAK) || s.st_shndx == SHN_UNDEF) return 0;
  if (name != v.strings + s.st_name) return 0;
  if (v.versym != nullptr && version != 0 && (v.versym[i] & 0x7fff) != version) return 0;
  return v.loadOffset + s.st_value;
}

}  // namespace

BOOTMARK void vdsoInitFromSysinfoEhdr(vdsoInfo* v, const Elf64_Ehdr* hdr) {
  uintptr base = reinterpret_cast<uintptr>(hdr);
  *v = vdsoInfo{};
  v->base = base;
  auto ph = at<Elf64_Phdr>(base + hdr->e_phoff);
  const Elf64_Dyn* dyn = nullptr;
  bool found = false;
  for (int i = 0; i < hdr->e_phnum; i++) {
    if (ph[i].p_type == PT_LOAD && !found) {
      found = true;
      v->loadOffset = base + ph[i].p_offset - ph[i].p_vaddr;
      v->end = base + ph[i].p_offset + ph[i].p_memsz;
    } else if (ph[i].p_type == PT_DYNAMIC) {
      dyn = at<Elf64_Dyn>(base + ph[i].p_offset);
    }
  }
  if (!found || dyn == nullptr) return;

  const std::uint32_t *sysv = nullptr, *gnu = nullptr;
  for (; dyn->d_tag != DT_NULL; dyn++) {
    uintptr p = v->loadOffset + dyn->d_un.d_ptr;
    switch (dyn->d_tag) {
      case DT_STRTAB:
        v->strings = at<char>(p);
        break;
      case DT_SYMTAB:
        v->symtab = at<Elf64_Sym>(p);
        break;
      case DT_HASH:
        sysv = at<std::uint32_t>(p);
        break;
      case DT_GNU_HASH:
        gnu = at<std::uint32_t>(p);
        break;
      case DT_VERSYM:
        v->versym = at<std::uint16_t>(p);
        break;
      case DT_VERDEF:
        v->verdef = at<Elf64_Verdef>(p);
        break;
    }
  }
  if (v->strings == nullptr || v->symtab == nullptr) return;
  if (v->verdef == nullptr) v->versym = nullptr;

  if (gnu != nullptr) {
    std::uint32_t nbucket = gnu[0], bloomWords = gnu[2];
    v->symOff = gnu[1];
    v->nbucket = nbucket;
    v->bucket = gnu + 4 + bloomWords * 2;  // the Bloom filter's words have 64 bits
    v->chain = v->bucket + nbucket;
    v->isGNUHash = true;
  } else if (sysv != nullptr) {
    v->nbucket = sysv[0];
    v->bucket = sysv + 2;
    v->chain = v->bucket + v->nbucket;
  }
  v->valid = v->nbucket != 0;
}

BOOTMARK std::int32_t vdsoFindVersion(const vdsoInfo* v) {
  if (!v->valid || v->verdef == nullptr) return 0;
  for (auto def = v->verdef;; def = at<Elf64_Verdef>(reinterpret_cast<uintptr>(def) + def->vd_next)) {
    if ((def->vd_flags & VER_FLG_BASE) == 0 && def->vd_hash == sysvHash(kVersion)) {
      auto aux = at<Elf64_Verdaux>(reinterpret_cast<uintptr>(def) + def->vd_aux);
      if (std::string_view(v->strings + aux->vda_name) == kVersion) return def->vd_ndx & 0x7fff;
    }
    if (def->vd_next == 0) return -1;  // a version that no symbol has
  }
}

uintptr vdsoLookup(const vdsoInfo* v, std::string_view name, std::int32_t version) {
  if (!v->valid) return 0;
  if (!v->isGNUHash) {
    for (std::uint32_t i = v->bucket[sysvHash(name) % v->nbucket]; i != 0; i = v->chain[i])
      if (uintptr p = symbolAt(*v, i, name, version)) return p;
    return 0;
  }
  std::uint32_t want = gnuHash(name);
  std::uint32_t i = v->bucket[want % v->nbucket];
  if (i < v->symOff) return 0;  // an empty bucket
  for (;; i++) {
    std::uint32_t h = v->chain[i - v->symOff];
    if ((h | 1) == (want | 1))
      if (uintptr p = symbolAt(*v, i, name, version)) return p;
    if ((h & 1) != 0) return 0;  // the chain's last
  }
}

}  // namespace runtime
