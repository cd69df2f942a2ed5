// Program headers and what they lead to: this program's own, and damaged ones, which lead nowhere.
// SOURCES: runtime/os/elfimage.cpp
#include <cstring>
#include <random>
#include <vector>

#include "runtime/os/elfimage.h"
#include "tests/unit/catch.h"

using namespace runtime;

extern "C" const Elf64_Ehdr __ehdr_start __attribute__((weak, visibility("hidden")));

namespace {

// An image of one segment with both tables in it, linked to lie at kVaddr.
struct made {
  static constexpr std::uint64_t kVaddr = 0x40000000;
  alignas(4096) std::uint8_t mem[8192] = {};
  Elf64_Ehdr* eh = reinterpret_cast<Elf64_Ehdr*>(mem);
  Elf64_Phdr* ph = reinterpret_cast<Elf64_Phdr*>(mem + sizeof *eh);

  made() {
    std::memcpy(eh->e_ident, ELFMAG, SELFMAG);
    eh->e_ident[EI_CLASS] = ELFCLASS64;
    eh->e_machine = EM_X86_64;
    eh->e_phentsize = sizeof *ph;
    eh->e_phoff = sizeof *eh;
    eh->e_phnum = 2;
    ph[0].p_type = PT_LOAD;
    ph[0].p_flags = PF_R | PF_X;
    ph[0].p_vaddr = kVaddr;
    ph[0].p_memsz = sizeof mem;
    ph[1].p_type = PT_GNU_EH_FRAME;
    ph[1].p_vaddr = kVaddr + 1024;
    ph[1].p_memsz = 64;
    mem[1024] = 1;
    mem[1025] = 0x1b;
    std::int32_t to = 2048 - 1028;
    std::memcpy(mem + 1028, &to, sizeof to);
  }
  uintptr base() const { return reinterpret_cast<uintptr>(mem); }
  elfstate read(elfimage* im, uintptr readable = sizeof mem) const { return readELF(im, base(), readable); }
};

}  // namespace

TEST_CASE("this program's own headers", "[elfimage]") {
  uintptr at = reinterpret_cast<uintptr>(&__ehdr_start);
  __asm__("" : "+r"(at));
  if (at == 0) return;
  elfimage im;
  REQUIRE(readELF(&im, at, kELFHeaderPage) == elfstate::good);
  uintptr lo, hi;
  static int inData = 1;
  CHECK(segmentWith(im, reinterpret_cast<uintptr>(&inData), sizeof inData, &lo, &hi));
  CHECK(segmentWith(im, at, 64, &lo, &hi));
  int onStack = 0;
  CHECK_FALSE(segmentWith(im, reinterpret_cast<uintptr>(&onStack), 1, &lo, &hi));
  ehTables t;
  REQUIRE(unwindTables(im, &t));
  CHECK(t.hdr[0] == 1);
  CHECK(t.lo < t.hi);
}

TEST_CASE("an image that was moved", "[elfimage]") {
  made m;
  elfimage im;
  REQUIRE(m.read(&im) == elfstate::good);
  CHECK(im.bias == m.base() - made::kVaddr);
  ehTables t;
  REQUIRE(unwindTables(im, &t));
  CHECK(t.hdr == m.mem + 1024);
  CHECK(t.hdrEnd == m.mem + 1088);
  CHECK(t.lo == m.mem);
  CHECK(t.hi == m.mem + sizeof m.mem);
  CHECK(headerOf(im, PT_TLS) == nullptr);
}

TEST_CASE("a segment's borders", "[elfimage]") {
  made m;
  elfimage im;
  REQUIRE(m.read(&im) == elfstate::good);
  uintptr lo, hi, end = m.base() + sizeof m.mem;
  CHECK(segmentWith(im, m.base(), sizeof m.mem, &lo, &hi));
  CHECK(segmentWith(im, end - 1, 1, &lo, &hi));
  CHECK_FALSE(segmentWith(im, end - 1, 2, &lo, &hi));
  CHECK_FALSE(segmentWith(im, end, 0, &lo, &hi));
  CHECK_FALSE(segmentWith(im, m.base() - 1, 1, &lo, &hi));
  CHECK_FALSE(segmentWith(im, m.base(), ~uintptr{0}, &lo, &hi));
  m.ph[0].p_memsz = ~std::uint64_t{0};  // wraps around
  CHECK_FALSE(segmentWith(im, m.base(), 1, &lo, &hi));
  m.ph[0].p_memsz = sizeof m.mem;
  m.ph[0].p_flags = PF_X;
  CHECK_FALSE(segmentWith(im, m.base(), 1, &lo, &hi));
}

TEST_CASE("damaged headers are told and lead nowhere", "[elfimage]") {
  elfimage im;
  auto state = [&](auto change, uintptr readable = 8192) {
    made m;
    change(m);
    elfstate s = m.read(&im, readable);
    CHECK((s == elfstate::good) == (im.phnum != 0));
    return s;
  };
  CHECK(state([](made&) {}) == elfstate::good);
  CHECK(state([](made& m) { m.mem[0] = 0; }) == elfstate::badHeader);
  CHECK(state([](made& m) { m.eh->e_ident[EI_CLASS] = ELFCLASS32; }) == elfstate::badHeader);
  CHECK(state([](made& m) { m.eh->e_machine = EM_386; }) == elfstate::badHeader);
  CHECK(state([](made&) {}, sizeof(Elf64_Ehdr) - 1) == elfstate::badHeader);
  CHECK(state([](made& m) { m.eh->e_phentsize = 32; }) == elfstate::badProgramHeaders);
  CHECK(state([](made& m) { m.eh->e_phnum = 0; }) == elfstate::badProgramHeaders);
  CHECK(state([](made& m) { m.eh->e_phnum = 0xffff; }) == elfstate::badProgramHeaders);
  CHECK(state([](made& m) { m.eh->e_phoff = 8192; }) == elfstate::badProgramHeaders);
  CHECK(state([](made& m) { m.eh->e_phoff = 65; }) == elfstate::badProgramHeaders);
  CHECK(state([](made& m) { m.eh->e_phoff = ~std::uint64_t{7}; }) == elfstate::badProgramHeaders);
  uintptr both = sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr);
  CHECK(state([](made&) {}, both) == elfstate::good);
  CHECK(state([](made&) {}, both - 1) == elfstate::badProgramHeaders);

  auto tables = [&](auto change) {
    made m;
    change(m);
    REQUIRE(m.read(&im) == elfstate::good);
    ehTables t;
    return unwindTables(im, &t);
  };
  CHECK(tables([](made&) {}));
  CHECK_FALSE(tables([](made& m) { m.ph[1].p_type = PT_NOTE; }));
  CHECK_FALSE(tables([](made& m) { m.ph[1].p_vaddr += 8192; }));
  CHECK_FALSE(tables([](made& m) { m.ph[1].p_memsz = 8192; }));
  CHECK_FALSE(tables([](made& m) { m.ph[1].p_memsz = 4; }));
  CHECK_FALSE(tables([](made& m) { m.mem[1031] = 0x7f; }));  // .eh_frame far away
  CHECK_FALSE(tables([](made& m) { m.ph[0].p_memsz = 1000; }));
}
