// Looking a name up in the libraries behind the program; see next.h.
//
// The dynamic linker's list of what is loaded (found where debuggers find it) has the program first and then the libraries in the order in which names
// are looked up. What was loaded at the start stays, and libc is among it; so the walk needs no lock.
#include "runtime/cgo/next.h"

#include <elf.h>
#include <link.h>

#include "runtime/os/os_linux.h"

namespace runtime::cgo {
namespace {

struct tables {
  const Elf64_Sym* symbols;
  const char* strings;
  const std::uint16_t* versions;  // null: the library has none
  const std::uint32_t* hash;      // DT_GNU_HASH
};

tables tablesOf(const link_map* l) {
  tables t{};
  for (const Elf64_Dyn* d = l->l_ld; d != nullptr && d->d_tag != DT_NULL; d++) {
    // The linker has made addresses of these, but in images that it may not write to (the vDSO).
    uintptr p = d->d_un.d_ptr < l->l_addr ? d->d_un.d_ptr + l->l_addr : d->d_un.d_ptr;
    if (d->d_tag == DT_SYMTAB) t.symbols = reinterpret_cast<const Elf64_Sym*>(p);
    if (d->d_tag == DT_STRTAB) t.strings = reinterpret_cast<const char*>(p);
    if (d->d_tag == DT_VERSYM) t.versions = reinterpret_cast<const std::uint16_t*>(p);
    if (d->d_tag == DT_GNU_HASH) t.hash = reinterpret_cast<const std::uint32_t*>(p);
  }
  return t;
}

bool equal(const char* a, const char* b) {
  while (*a != 0 && *a == *b) a++, b++;
  return *a == *b;
}

// Is symbol i a definition of name that a program linked today would get?
bool defines(const tables& t, std::uint32_t i, const char* name) {
  constexpr std::uint16_t kHidden = 0x8000, kLocal = 0;
  const Elf64_Sym& s = t.symbols[i];
  int bind = ELF64_ST_BIND(s.st_info), type = ELF64_ST_TYPE(s.st_info);
  if (s.st_shndx == SHN_UNDEF || type != STT_FUNC || (bind != STB_GLOBAL && bind != STB_WEAK)) return false;
  if (t.versions != nullptr && ((t.versions[i] & kHidden) != 0 || t.versions[i] == kLocal)) return false;
  return equal(name, t.strings + s.st_name);
}

// The table: four words, a filter of words, buckets, and for each symbol from first on its hash; bit 0 ends a bucket.
void* find(const link_map* l, const char* name, std::uint32_t h) {
  tables t = tablesOf(l);
  if (t.hash == nullptr || t.symbols == nullptr || t.strings == nullptr) return nullptr;
  std::uint32_t nbuckets = t.hash[0], first = t.hash[1], nfilter = t.hash[2], shift = t.hash[3];
  if (nbuckets == 0 || nfilter == 0) return nullptr;
  auto filter = reinterpret_cast<const std::uint64_t*>(t.hash + 4);
  std::uint64_t bits = std::uint64_t{1} << (h % 64) | std::uint64_t{1} << ((h >> shift) % 64);
  if ((filter[h / 64 % nfilter] & bits) != bits) return nullptr;
  auto buckets = reinterpret_cast<const std::uint32_t*>(filter + nfilter);
  const std::uint32_t* chain = buckets + nbuckets - first;
  std::uint32_t i = buckets[h % nbuckets];
  if (i < first) return nullptr;
  for (;; i++) {
    if ((chain[i] | 1) == (h | 1) && defines(t, i, name))
      return reinterpret_cast<void*>(l->l_addr + t.symbols[i].st_value);
    if ((chain[i] & 1) != 0) return nullptr;
  }
}

const link_map* loaded() {
  for (const Elf64_Dyn* d = _DYNAMIC; d->d_tag != DT_NULL; d++)
    if (d->d_tag == DT_DEBUG && d->d_un.d_ptr != 0) return reinterpret_cast<const r_debug*>(d->d_un.d_ptr)->r_map;
  return nullptr;
}

}  // namespace

void* nextDefinition(const char* name) noexcept {
  std::uint32_t h = 5381;
  for (const char* c = name; *c != 0; c++) h = h * 33 + static_cast<std::uint8_t>(*c);
  const link_map* program = loaded();
  for (const link_map* l = program != nullptr ? program->l_next : nullptr; l != nullptr; l = l->l_next)
    if (void* f = find(l, name, h); f != nullptr) return f;
  static constexpr char text[] = "fatal: no library of this program has the function ";
  std::size_t n = 0;
  while (name[n] != 0) n++;
  write1(2, text, sizeof text - 1);
  write1(2, name, n);
  write1(2, "\n", 1);
  exit(2);
}

}  // namespace runtime::cgo
