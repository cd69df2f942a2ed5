// Allocation patterns in fast motion: eight goroutines with objects of random size and lifetime, every one with contents
// that say what they must be, lists and tables of them, pointers into the middle, blocks of operator new that hold the
// only pointer, hand-overs by channel, deep recursion while others collect.
// CLAIMS: [C54]
// ENV: GODEBUG=gccheckmark=1,clobberfree=1
// PROCS: 1 2 8
// REPEAT-STRESS: 300
// TIMEOUT: 120
// STDOUT-MATCH: ^ok [0-9]+ objects, [0-9]+ collections, [0-9]+ KB live in [0-9]+ KB$
#include <boot/boot.h>

#include <cstdlib>
#include <memory>
#include <vector>

namespace {

struct Rng {
  std::uint64_t s;
  std::uint64_t operator()() {
    s ^= s << 13;
    s ^= s >> 7;
    s ^= s << 17;
    return s;
  }
};

// A block of n words: its size, its seed, words made from the seed, and pointers to two others.
struct Block {
  std::uint64_t n, seed;
  Block *a, *b;
  std::uint64_t* words() { return reinterpret_cast<std::uint64_t*>(this + 1); }
};

std::uint64_t word(std::uint64_t seed, std::uint64_t i) { return (seed + i) * 0x9e3779b97f4a7c15ull | 1ull << 63; }

void bad(const char* what) { boot::panic(std::string("gc_stress: ") + what); }

std::uint64_t made;

Block* make(Rng& r, Block* a, Block* b) {
  std::uint64_t n = r() % 100 < 97 ? r() % 64 : r() % 20000;
  auto s = boot::make_slice<std::uint64_t*>(n + sizeof(Block) / 8);
  auto* p = reinterpret_cast<Block*>(s.data());
  for (auto* w : s)
    if (w != nullptr) bad("memory not zeroed");
  *p = {n, r() | 1, a, b};
  for (std::uint64_t i = 0; i < n; i++) p->words()[i] = word(p->seed, i);
  __atomic_add_fetch(&made, 1, __ATOMIC_RELAXED);
  return p;
}

void check(Block* p, int depth) {
  for (; p != nullptr && depth > 0; depth--) {
    if (p->seed == 0 || p->n > 20000) bad("header overwritten");
    for (std::uint64_t i = 0; i < p->n; i++)
      if (p->words()[i] != word(p->seed, i)) bad("contents overwritten");
    if (p->b != nullptr) check(p->b, depth / 4);
    p = p->a;
  }
}

// Strings of bytes without pointers, tiny ones too.
std::span<std::uint8_t> bytes(Rng& r) {
  auto s = boot::make_slice<std::uint8_t>(1 + r() % (r() % 8 == 0 ? 5000 : 24));
  for (auto& c : s) {
    if (c != 0) bad("bytes not zeroed");
    c = static_cast<std::uint8_t>(s.size() | 1);
  }
  return s;
}

std::uint64_t recurse(Rng& r, int depth, Block* keep) {
  Block* mine = make(r, keep, nullptr);
  if (depth == 0) return mine->seed;
  std::uint64_t v = recurse(r, depth - 1, mine);
  check(mine, 2);
  return v + mine->n;
}

boot::chan<Block*> handover = boot::make_chan<Block*>(16);

void worker(std::uint64_t id, int rounds) {
  Rng r{id * 0x2545f4914f6cdd1d + 1};
  constexpr std::size_t kSlots = 256;
  auto* slots = boot::New<std::array<Block*, kSlots>>();
  std::vector<Block*> held(kSlots);                // manual memory holds them
  std::vector<std::unique_ptr<Block*>> boxed(64);  // and so does a box in it
  std::vector<std::uint64_t*> inner(64);           // pointers into the middle
  std::vector<std::span<std::uint8_t>> text(128);
  for (int i = 0; i < rounds; i++) {
    std::size_t k = r() % kSlots;
    Block* p = make(r, r() % 4 == 0 ? (*slots)[r() % kSlots] : nullptr, r() % 8 == 0 ? held[r() % kSlots] : nullptr);
    if (p->a != nullptr && r() % 16 == 0) p->a->a = nullptr;  // lists end
    switch (r() % 5) {
      case 0:
        (*slots)[k] = p;
        break;
      case 1:
        held[k] = p;
        break;
      case 2:
        boxed[k % 64] = std::make_unique<Block*>(p);
        break;
      case 3:
        if (p->n > 2) inner[k % 64] = p->words() + p->n / 2;
        break;
      default:
        text[k % 128] = bytes(r);
        break;
    }
    check((*slots)[r() % kSlots], 8);
    check(held[r() % kSlots], 8);
    if (auto& b = boxed[r() % 64]) check(*b, 4);
    if (auto* w = inner[r() % 64]; w != nullptr && (*w >> 63) != 1) bad("inner pointer's word overwritten");
    auto& t = text[r() % 128];
    for (auto c : t)
      if (c != static_cast<std::uint8_t>(t.size() | 1)) bad("bytes overwritten");
    if (i % 64 == 0) {
      std::size_t j = r() % kSlots;
      (*slots)[j] = nullptr;
      held[r() % kSlots] = nullptr;
    }
    if (i % 97 == 0) {
      handover.send(p);
      check(handover.recv(), 8);
    }
    if (i % 1499 == 0) recurse(r, 200, nullptr);
    if (i % 7 == 0) runtime::Gosched();
  }
}

}  // namespace

void main_main() {
  // gc_fastmotion.run asks for many more rounds, and for fewer collections.
  int rounds = 12000;
  if (auto args = boot::os::Args(); args.size() > 1)
    rounds = std::atoi(args[1]);
  else
    runtime::debug::SetGCPercent(25);
  constexpr int kWorkers = 8;
  auto done = boot::make_chan<int>(kWorkers);
  for (std::uint64_t id = 1; id <= kWorkers; id++)
    boot::go([id, rounds, done] {
      worker(id, rounds);
      done.send(1);
    });
  for (int i = 0; i < kWorkers; i++) done.recv();
  runtime::GC();
  runtime::MemStats m;
  runtime::ReadMemStats(&m);
  if (m.NumGC < 2) bad("hardly any collection");
  boot::println("ok {} objects, {} collections, {} KB live in {} KB", made, m.NumGC, m.HeapAlloc / 1024,
                (m.HeapInuse - m.ManualInuse) / 1024);
}
