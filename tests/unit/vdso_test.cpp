// Looking up functions in the vDSO: in this kernel's, and in made-up images with the hash tables of other kernels.
// SOURCES: runtime/os/vdso_elf.cpp runtime/os/elfimage.cpp
#include <sys/auxv.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <string>
#include <vector>

#include "runtime/os/vdso_linux.h"
#include "tests/unit/catch.h"

using namespace runtime;

namespace {

// The two hashes, written from the ELF specification and independent of the code under test.
std::uint32_t sysv(const std::string& s) {
  unsigned long h = 0, g;
  for (unsigned char c : s) {
    h = (h << 4) + c;
    if ((g = h & 0xf0000000) != 0) h ^= g >> 24;
    h &= 0x0fffffff;
  }
  return static_cast<std::uint32_t>(h);
}
std::uint32_t gnu(const std::string& s) {
  std::uint32_t h = 5381;
  for (unsigned char c : s) h = h * 33 + c;
  return h;
}

enum class hash { none, sysv, gnu };

// A shared object in memory with one function a symbol, at `i * 16 + 0x40` from the image's start.
struct image {
  alignas(16) std::uint8_t mem[16384] = {};
  std::size_t top = 0;

  template <class T>
  T* put(std::size_t n = 1) {
    top = (top + 15) & ~std::size_t{15};
    auto p = reinterpret_cast<T*>(mem + top);
    top += n * sizeof(T);
    REQUIRE(top <= sizeof mem);
    return p;
  }
  std::uint64_t off(const void* p) const {
    return static_cast<std::uint64_t>(static_cast<const std::uint8_t*>(p) - mem);
  }

  // versionOf[i] is the version index of symbol i; index 2 is LINUX_2.6 if hasVersion.
  image(hash h, const std::vector<std::string>& names, const std::vector<std::uint16_t>& versionOf, bool hasVersion) {
    auto eh = put<Elf64_Ehdr>();
    auto ph = put<Elf64_Phdr>(2);
    std::memcpy(eh->e_ident, ELFMAG, SELFMAG);
    eh->e_ident[EI_CLASS] = ELFCLASS64;
    eh->e_machine = EM_X86_64;
    eh->e_phentsize = sizeof *ph;
    eh->e_phoff = off(ph);
    eh->e_phnum = 2;
    std::size_t n = names.size() + 1;

    // GNU hash wants symbols of one bucket side by side.
    constexpr std::uint32_t kBuckets = 3;
    std::vector<std::size_t> order(names.size());
    for (std::size_t i = 0; i < order.size(); i++) order[i] = i;
    if (h == hash::gnu)
      std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return gnu(names[a]) % kBuckets < gnu(names[b]) % kBuckets;
      });

    std::string strings(1, '\0');
    auto add = [&](const std::string& s) {
      std::size_t at = strings.size();
      strings += s + '\0';
      return static_cast<std::uint32_t>(at);
    };
    auto sym = put<Elf64_Sym>(n);
    auto ver = put<std::uint16_t>(n);
    for (std::size_t i = 1; i < n; i++) {
      std::size_t k = order[i - 1];
      sym[i].st_name = add(names[k]);
      sym[i].st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
      sym[i].st_shndx = 1;
      sym[i].st_value = 0x40 + k * 16;
      ver[i] = versionOf[k];
    }
    auto def = put<Elf64_Verdef>(2);
    auto aux = put<Elf64_Verdaux>(2);
    def[0] = {1, VER_FLG_BASE, 1, 1, sysv("vdso"), static_cast<Elf64_Word>(off(aux) - off(def)), sizeof *def};
    aux[0] = {add("vdso"), 0};
    std::string version = hasVersion ? "LINUX_2.6" : "LINUX_9.9";
    def[1] = {1, 0, 2, 1, sysv(version), static_cast<Elf64_Word>(off(aux + 1) - off(def + 1)), 0};
    aux[1] = {add(version), 0};

    std::uint32_t* table = nullptr;
    if (h == hash::sysv) {
      table = put<std::uint32_t>(2 + kBuckets + n);
      table[0] = kBuckets;
      table[1] = static_cast<std::uint32_t>(n);
      std::uint32_t *bucket = table + 2, *chain = bucket + kBuckets;
      for (std::uint32_t i = 1; i < n; i++) {
        std::uint32_t b = sysv(names[order[i - 1]]) % kBuckets;
        chain[i] = bucket[b];
        bucket[b] = i;
      }
    } else if (h == hash::gnu) {
      table = put<std::uint32_t>(4 + 2 + kBuckets + n);
      table[0] = kBuckets;
      table[1] = 1;  // the first symbol that is hashed
      table[2] = 1;  // one word of Bloom filter, which nobody here asks
      std::uint32_t *bucket = table + 6, *chain = bucket + kBuckets;
      for (std::uint32_t i = 1; i < n; i++) {
        std::uint32_t hv = gnu(names[order[i - 1]]);
        if (bucket[hv % kBuckets] == 0) bucket[hv % kBuckets] = i;
        bool last = i + 1 == n || gnu(names[order[i]]) % kBuckets != hv % kBuckets;
        chain[i - 1] = (hv & ~1u) | (last ? 1 : 0);
      }
    }
    auto str = put<char>(strings.size());
    std::memcpy(str, strings.data(), strings.size());

    auto dyn = put<Elf64_Dyn>(8);
    int d = 0;
    auto entry = [&](Elf64_Sxword tag, const void* p) {
      dyn[d].d_tag = tag;
      dyn[d++].d_un.d_ptr = kVaddr + off(p);
    };
    entry(DT_STRTAB, str);
    entry(DT_SYMTAB, sym);
    if (h != hash::none) entry(h == hash::gnu ? DT_GNU_HASH : DT_HASH, table);
    entry(DT_VERSYM, ver);
    entry(DT_VERDEF, def);
    ph[0].p_type = PT_LOAD;
    ph[0].p_vaddr = kVaddr;
    ph[0].p_memsz = top;
    ph[1].p_type = PT_DYNAMIC;
    ph[1].p_offset = off(dyn);
    ph[1].p_vaddr = kVaddr + off(dyn);
    for (std::size_t i = 1; i < n; i++) sym[i].st_value += kVaddr;
  }

  static constexpr std::uint64_t kVaddr = 0x7000000;  // where the image was linked to lie; it lies at mem

  uintptr find(const std::string& name) const {
    vdsoInfo v;
    vdsoInitFromSysinfoEhdr(&v, reinterpret_cast<const Elf64_Ehdr*>(mem), sizeof mem);
    uintptr p = vdsoLookup(&v, name, vdsoFindVersion(&v));
    return p == 0 ? 0 : p - reinterpret_cast<uintptr>(mem);
  }
};

const std::vector<std::string> kNames = {"__vdso_gettimeofday",
                                         "__vdso_clock_gettime",
                                         "__vdso_time",
                                         "__vdso_getcpu",
                                         "__vdso_clock_getres",
                                         "a",
                                         "b",
                                         "c",
                                         "d"};

std::vector<std::uint16_t> all(std::uint16_t v) { return std::vector<std::uint16_t>(kNames.size(), v); }

}  // namespace

TEST_CASE("this kernel's vDSO has clock_gettime and it tells the time", "[vdso]") {
  auto eh = reinterpret_cast<const Elf64_Ehdr*>(getauxval(AT_SYSINFO_EHDR));
  if (eh == nullptr) {
    WARN("this kernel maps no vDSO");
    return;
  }
  vdsoInfo v;
  vdsoInitFromSysinfoEhdr(&v, eh);
  REQUIRE(v.valid);
  std::int32_t version = vdsoFindVersion(&v);
  CHECK(version > 0);
  uintptr p = vdsoLookup(&v, "__vdso_clock_gettime", version);
  REQUIRE(p > v.base);
  REQUIRE(p < v.end);
  auto fn = reinterpret_cast<int (*)(int, timespec*)>(p);
  timespec a, b, c;
  clock_gettime(CLOCK_MONOTONIC, &a);
  REQUIRE(fn(CLOCK_MONOTONIC, &b) == 0);
  clock_gettime(CLOCK_MONOTONIC, &c);
  auto ns = [](const timespec& t) { return t.tv_sec * 1000000000L + t.tv_nsec; };
  CHECK(ns(a) <= ns(b));
  CHECK(ns(b) <= ns(c));
  CHECK(vdsoLookup(&v, "__vdso_no_such_function", version) == 0);
}

TEST_CASE("every symbol of an image is found by either kind of hash table", "[vdso]") {
  for (hash h : {hash::sysv, hash::gnu}) {
    image img(h, kNames, all(2), true);
    for (std::size_t i = 0; i < kNames.size(); i++) {
      CAPTURE(static_cast<int>(h), kNames[i]);
      CHECK(img.find(kNames[i]) == 0x40 + i * 16);
    }
    for (const char* name : {"", "e", "f", "g", "h", "__vdso_clock_gettim", "__vdso_clock_gettime2"}) {
      CAPTURE(static_cast<int>(h), name);
      CHECK(img.find(name) == 0);
    }
  }
}

TEST_CASE("a symbol of another version is not taken", "[vdso]") {
  for (hash h : {hash::sysv, hash::gnu}) {
    std::vector<std::uint16_t> versions = all(2);
    versions[1] = 3;
    versions[3] = 0x8002;  // hidden, but of the right version
    image img(h, kNames, versions, true);
    CHECK(img.find("__vdso_clock_gettime") == 0);
    CHECK(img.find("__vdso_getcpu") == 0x40 + 3 * 16);
    CHECK(img.find("__vdso_time") != 0);
    // An image without LINUX_2.6 has nothing for us.
    image other(h, kNames, all(2), false);
    CHECK(other.find("__vdso_time") == 0);
  }
}

TEST_CASE("an image without hash table or dynamic section is refused", "[vdso]") {
  image img(hash::none, kNames, all(2), true);
  CHECK(img.find("__vdso_time") == 0);
  image bad(hash::gnu, kNames, all(2), true);
  reinterpret_cast<Elf64_Ehdr*>(bad.mem)->e_phnum = 1;
  CHECK(bad.find("__vdso_time") == 0);
  reinterpret_cast<Elf64_Ehdr*>(bad.mem)->e_phnum = 0;
  CHECK(bad.find("__vdso_time") == 0);
}
