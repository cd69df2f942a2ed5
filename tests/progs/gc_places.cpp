// Every place that may hold the only pointer to an object, at the borders too: the first and the last block of a span of
// malloc's, also where the span next to it was used up last; the first and the last word of a block, of an object, of a
// buffer; pointers into the middle and to the last byte.
// CLAIMS: [C54]
// ENV: GODEBUG=gccheckmark=1,clobberfree=1
// PROCS: 1 2 8
// TIMEOUT: 120
// STDOUT-MATCH: ^borders [0-9]+$
#include <boot/boot.h>

#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

struct Obj {
  std::uint64_t magic[4];
};
constexpr std::uint64_t kMagic = 0xa5a5'1234'5678'9abc;

[[gnu::noinline]] Obj* make(std::uint64_t i) { return boot::New<Obj>(Obj{{kMagic + i, i, ~i, kMagic - i}}); }
[[gnu::noinline]] void good(const Obj* o, std::uint64_t i, const char* where) {
  if (o != nullptr && o->magic[0] == kMagic + i && o->magic[1] == i && o->magic[2] == ~i && o->magic[3] == kMagic - i)
    return;
  boot::panic(std::string("gc_places: lost: ") + where);
}

// Where a block lies must be chosen by the order of calls: nothing else allocates meanwhile.
using Block = Obj**;

// A span of malloc's is used up whose end is where another one begins, and that one was used up before: with the last
// block taken of the lower the upper looked as if nobody had had any of its blocks. size divides the span's.
[[gnu::noinline]] std::size_t belowUsedUp(std::size_t size) {
  constexpr std::size_t kPage = 8192, kHole = 5 * kPage;
  std::vector<void*> spare;  // fills what is free below
  spare.reserve(1 << 16);
  auto* hole = static_cast<char*>(std::malloc(kHole));
  auto top = reinterpret_cast<std::uintptr_t>(hole) + kHole;
  // The span behind the hole.
  std::vector<Block> upper;
  upper.reserve(kPage);
  for (;;) {
    auto b = static_cast<Block>(std::malloc(size));
    auto at = reinterpret_cast<std::uintptr_t>(b);
    if (at >= top && at < top + kPage)
      upper.push_back(b);
    else
      spare.push_back(b);
    if (upper.size() == kPage / size) break;
    if (spare.size() == spare.capacity()) return 0;  // somebody else has the pages behind the hole
  }
  for (std::size_t i = 0; i < upper.size(); i++) {
    std::fill_n(upper[i], size / 8, nullptr);
    upper[i][i % 2 == 0 ? 0 : size / 8 - 1] = make(i);
  }
  std::free(hole);
  // The last of its pages, to the last block.
  bool last = false;
  while (!last && spare.size() < spare.capacity()) {
    auto* p = static_cast<char*>(std::malloc(size));
    last = reinterpret_cast<std::uintptr_t>(p) + size == top;
    spare.push_back(p);
  }
  if (!last) return 0;
  runtime::GC();
  for (std::uint64_t k = 0; k < 2000; k++) make(k << 32);
  std::size_t n = upper.size();
  for (std::size_t i = 0; i < n; i++) {
    good(upper[i][i % 2 == 0 ? 0 : size / 8 - 1], i, "a block above a span that is used up");
    std::free(upper[i]);
  }
  for (void* p : spare) std::free(p);
  return n;
}

}  // namespace

void main_main() {
  std::size_t n = 0;
  for (std::size_t size : {16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192}) {
    std::size_t k = 0;
    for (int tries = 0; k == 0 && tries < 100; tries++) k = belowUsedUp(size);
    if (k == 0) boot::panic("gc_places: no place below a span");
    n += k;
  }
  boot::println("borders {}", n);
}
