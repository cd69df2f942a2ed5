// The heap stays near its goal, whatever is allocated while a cycle marks beside the program: slices of 1 MB that nobody
// writes, which take no time at all; and holes that new objects do not fit into go back to the kernel when the heap grows.
// PROCS: 1 2 8
// TIMEOUT: 120
// STDOUT: slices bounded
// STDOUT: holes given back
#include <boot/boot.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

struct Node {
  Node* next;
  std::uint64_t pad[7];
};

runtime::MemStats stats() {
  runtime::MemStats m;
  runtime::ReadMemStats(&m);
  return m;
}

void check(bool ok, const char* what) {
  if (ok) return;
  auto m = stats();
  boot::panic(std::string("gc_bound: ") + what + ": goal " + std::to_string(m.NextGC >> 20) + " MB, from the kernel " +
              std::to_string(m.HeapSys >> 20) + " MB, " + std::to_string(m.HeapReleased >> 20) + " of them back, " +
              std::to_string(m.NumGC) + " collections");
}

constexpr std::size_t kMB = 1 << 20;

// live MB in small objects, and meanwhile goroutines that allocate a MB after the other.
void slices(std::size_t live, int goroutines, int each) {
  Node* list = nullptr;
  for (std::size_t i = 0; i < live * kMB / sizeof(Node); i++) list = boot::New<Node>(Node{list, {}});
  runtime::GC();
  boot::sync::WaitGroup wg;
  std::uint64_t goal = 0;
  for (int k = 0; k < goroutines; k++) {
    wg.Add(1);
    boot::go([&, each] {
      for (int i = 0; i < each; i++) {
        auto s = boot::make_slice<std::uint8_t>(kMB);
        __asm__ volatile("" ::"r"(s.data()) : "memory");
      }
      wg.Done();
    });
  }
  wg.Wait();
  auto m = stats();
  goal = std::max<std::uint64_t>(m.NextGC, live * 2 * kMB);
  // Go's own bound for what a cycle lets through is a tenth more; the rest is what sweeping has not got to.
  check(m.HeapSys <= goal + goal / 2 + 64 * kMB, "the heap has outgrown its goal");
  __asm__ volatile("" ::"r"(list) : "memory");
}

// Slices of 64 KB, of which every second is dropped; then slices of 128 KB, which do not fit into the holes.
void holes() {
  constexpr std::size_t kPiece = 64 << 10, kPieces = 4096;
  auto fill = [](std::size_t n) {
    auto s = boot::make_slice<std::uint8_t>(n);
    std::fill(s.begin(), s.end(), std::uint8_t{1});
    return s.data();
  };
  std::vector<std::uint8_t*> small(kPieces), large;
  for (auto& p : small) p = fill(kPiece);
  for (std::size_t i = 0; i < kPieces; i += 2) small[i] = nullptr;
  runtime::GC();
  runtime::GC();  // knows what the heap has become
  auto m = stats();
  std::uint64_t before = m.HeapSys - m.HeapReleased;
  for (std::size_t i = 0; i < 96 * kMB / (2 * kPiece); i++) large.push_back(fill(2 * kPiece));
  m = stats();
  check(m.HeapSys - m.HeapReleased <= before + 16 * kMB, "the heap has grown, and its holes with it");
}

}  // namespace

void main_main() {
  slices(80, 4, 400);
  boot::println("slices bounded");
  holes();
  boot::println("holes given back");
}
