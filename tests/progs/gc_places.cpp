// Every place that may hold the only pointer to an object, at the borders too: the first and the last block of a span of
// malloc's, also where the span next to it was used up last; the first and the last word of a block, of an object, of a
// buffer; pointers into the middle and to the last byte. Then goroutines that put objects into random places of all kinds,
// while cycles follow each other: registers, frames, deep stacks, blocks of malloc, channels, those who wait for them, timers,
// deferred functions, exceptions in flight, arguments of threads, what belongs to a thread, boot::blocking.
// Argument: how many objects each goroutine keeps so (gc_places_long.run).
// CLAIMS: [C54]
// ENV: GODEBUG=gccheckmark=1,clobberfree=1
// PROCS: 1 2 8
// TIMEOUT: 120
// STDOUT-MATCH: ^borders [0-9]+$
// STDOUT-MATCH: ^places [0-9]+$
#include <boot/boot.h>

#include <pthread.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
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
  spare.reserve((4 << 20) / size);
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

// ---- random places ----

struct Rng {
  std::uint64_t s;
  std::uint64_t operator()() {
    s ^= s << 13;
    s ^= s >> 7;
    s ^= s << 17;
    return s;
  }
};

std::uint64_t ids, placed;
std::uint64_t newId() { return __atomic_add_fetch(&ids, 1, __ATOMIC_RELAXED); }

// Others run, collect, and take what was freed.
[[gnu::noinline]] void pass(Rng& r) {
  switch (r() % 8) {
    case 0:
      runtime::GC();
      break;
    case 1:
      boot::time::Sleep(std::chrono::microseconds(r() % 200));
      break;
    case 2: {
      auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(r() % 300);
      while (std::chrono::steady_clock::now() < until) {}
      break;
    }
    default:
      runtime::Gosched();
  }
  for (std::uint64_t i = r() % 100; i > 0; i--) make(0);
}

[[gnu::noinline]] void deep(Rng& r, int n, Obj* o, std::uint64_t id) {
  volatile char pad[300];
  pad[0] = 1;
  if (n == 0)
    pass(r);
  else
    deep(r, n - 1, o, id);
  good(o, id, pad[0] == 1 ? "a deep stack" : "");
}

pthread_key_t key;
thread_local Obj* mine;
struct Carrier : std::runtime_error {
  explicit Carrier(Obj* p) : std::runtime_error("carrier"), o(p) {}
  Obj* o;
};
struct Passer {
  Rng& r;
  ~Passer() { pass(r); }
};

// In a leaf's red zone or registers while a signal stops it: no call, no frame of its own.
[[gnu::noinline]] Obj* spin(Obj* o, const std::uint32_t* stop) {
  for (std::uint32_t i = 0; i < 200000 && __atomic_load_n(stop, __ATOMIC_RELAXED) == 0; i++)
    __asm__ volatile("" : "+x"(o));
  return o;
}

void place(Rng& r, std::vector<void*>& blocks) {
  std::uint64_t id = newId();
  auto one = [&] { return make(id); };
  switch (r() % 14) {
    case 0: {
      Obj* o = one();
      pass(r);
      good(o, id, "a frame");
      break;
    }
    case 1: {
      std::uint32_t stop = 0;
      good(spin(one(), &stop), id, "a register");
      break;
    }
    case 2:
      deep(r, static_cast<int>(r() % 500), one(), id);
      break;
    case 3: {  // any block, any word
      std::size_t n = 2 + r() % (r() % 10 == 0 ? 6000 : 200), at = r() % 3 == 0 ? 0 : r() % 3 == 1 ? n - 1 : r() % n;
      auto** b = static_cast<Obj**>(std::calloc(n, 8));
      b[at] = one();
      if (r() % 2 == 0) {  // changes the order in which blocks are taken
        blocks.push_back(std::malloc(8 * n));
        if (blocks.size() > 64) {
          for (void*& x : blocks)
            if (r() % 4 != 0) std::free(std::exchange(x, nullptr));
          std::erase(blocks, nullptr);
        }
      }
      pass(r);
      good(b[at], id, "a block of malloc");
      std::free(b);
      break;
    }
    case 4: {
      std::size_t n = 1 + r() % 3000, at = r() % n;
      auto s = boot::make_slice<Obj*>(n);
      s[at] = one();
      auto* inner = reinterpret_cast<char*>(s.data()) + (r() % 2 == 0 ? n * 8 - 1 : r() % (n * 8));
      std::size_t back = static_cast<std::size_t>(inner - reinterpret_cast<char*>(s.data()));
      s = {};
      __asm__ volatile("" : "+r"(inner) : : "memory");
      pass(r);
      good(reinterpret_cast<Obj**>(inner - back)[at], id, "an object, pointed into");
      break;
    }
    case 5: {
      auto c = boot::make_chan<Obj*>(static_cast<std::int64_t>(1 + r() % 5));
      c.send(one());
      pass(r);
      good(c.recv(), id, "a channel's buffer");
      break;
    }
    case 6: {
      auto c = boot::make_chan<Obj*>(0);
      boot::go([=] {
        if (id % 2 == 0) {
          c.send(make(id));
        } else {
          auto never = boot::make_chan<int>(0);
          boot::select(boot::on_send(c, make(id), [] {}), boot::on_recv(never, [](int, bool) {}));
        }
      });
      pass(r);
      good(c.recv(), id, "who waits for a channel");
      break;
    }
    case 7: {
      auto c = boot::make_chan<int>(0);
      boot::time::AfterFunc(std::chrono::microseconds(r() % 500), [=, o = one()] {
        good(o, id, "a timer's function");
        c.send(1);
      });
      pass(r);
      c.recv();
      break;
    }
    case 8: {
      boot::defer d([id, o = one()] { good(o, id, "a deferred function"); });
      pass(r);
      break;
    }
    case 9:
      try {
        Passer p{r};
        throw Carrier(one());
      } catch (Carrier& e) {
        pass(r);
        good(e.o, id, "an exception");
      }
      break;
    case 10: {
      std::thread t([id, o = one()] {
        runtime::Gosched();
        good(o, id, "a thread's argument");
      });
      pass(r);
      t.join();
      break;
    }
    case 11:
      pthread_setspecific(key, one());
      pass(r);
      good(static_cast<Obj*>(pthread_getspecific(key)), id, "a value of pthread_setspecific");
      pthread_setspecific(key, nullptr);
      break;
    case 12:
      runtime::LockOSThread();
      mine = one();
      pass(r);
      good(mine, id, "a thread_local");
      mine = nullptr;
      runtime::UnlockOSThread();
      break;
    default:
      boot::blocking([&] {
        Obj* o = one();
        std::uint32_t stop = 0;
        o = spin(o, &stop);
        auto box = std::make_unique<Obj*>(spin(o, &stop));
        pass(r);
        good(*box, id, "a function of boot::blocking");
      });
  }
  __atomic_add_fetch(&placed, 1, __ATOMIC_RELAXED);
}

}  // namespace

void main_main() {
  std::size_t n = 0;
  for (std::size_t size : {32, 64, 256, 1024, 2048, 4096}) {
    std::size_t k = 0;
    for (int tries = 0; k == 0 && tries < 100; tries++) k = belowUsedUp(size);
    if (k == 0) boot::panic("gc_places: no place below a span");
    n += k;
  }
  boot::println("borders {}", n);
  int rounds = 60;
  if (auto args = boot::os::Args(); args.size() > 1) rounds = std::atoi(args[1]);
  runtime::debug::SetGCPercent(20);
  pthread_key_create(&key, nullptr);
  constexpr int kGoroutines = 8;
  auto done = boot::make_chan<int>(kGoroutines);
  for (std::uint64_t k = 1; k <= kGoroutines; k++)
    boot::go([=] {
      Rng r{k * 0x2545f4914f6cdd1d + static_cast<std::uint64_t>(runtime::NumGoroutine())};
      std::vector<void*> blocks;
      for (int i = 0; i < rounds; i++) place(r, blocks);
      for (void* b : blocks) std::free(b);
      done.send(1);
    });
  for (int k = 0; k < kGoroutines; k++) done.recv();
  boot::println("places {}", placed);
}
