// Destructors of what New made, and finalizers of objects that share a block: each runs once, with its own object, all
// that are due in one cycle; an object goes before those that it points to, circles are no obstacle, and what a
// destructor may do besides: allocate, wait, panic and recover, bring objects back.
// PROCS: 1 2 8
// TIMEOUT: 100
// ENV: GODEBUG=gccheckmark=1,clobberfree=1
// STDOUT: tiny
// STDOUT: sizes
// STDOUT: inner
// STDOUT: pair
// STDOUT: self
// STDOUT: ring
// STDOUT: list
// STDOUT: tree
// STDOUT: tangle
// STDOUT: mixed
// STDOUT: members
// STDOUT: busy
// STDOUT: back
// STDOUT: channel
// STDOUT: freed
#include <boot/boot.h>

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace {

template <class... A>
[[noreturn]] void bad(fmt::format_string<A...> f, A&&... a) {
  boot::panic(fmt::format(f, std::forward<A>(a)...));
}

[[gnu::noinline]] void wipe() {
  volatile char a[1500];
  for (auto& c : a) c = 0;
}

// On a goroutine of its own: what is left on its stack ends with it.
template <class F>
void apart(F f) {
  auto done = boot::make_chan<int>(0);
  boot::go([=] {
    f();
    wipe();
    done.send(1);
  });
  done.recv();
}

// One collection, and all its finalizers and destructors: one that was made later is the last.
void collect() {
  auto last = boot::make_chan<int>(1);
  runtime::GC();
  // The queue is run in order, so whatever is found dead by the next cycle is behind this one's.
  apart([=] { runtime::SetFinalizer(boot::New<std::array<void*, 3>>(), [=](auto*) { last.send(1); }); });
  for (int i = 0; i < 200 && last.len() == 0; i++) {
    runtime::GC();
    boot::time::Sleep(std::chrono::milliseconds(1));
  }
}
// What conservative scanning keeps by chance goes sooner or later.
template <class F>
void settle(const char* what, F done) {
  for (int i = 0; i < 20 && !done(); i++) collect();
  if (!done()) bad("{}: not all have been destroyed", what);
}

// ---- small objects ----

void tiny() {
  constexpr int n = 1000;
  static int seen[n];
  static std::atomic<int> runs;
  apart([] {
    for (int i = 0; i < n; i++) {
      auto* p = boot::New<int>(i);
      runtime::SetFinalizer(p, [](int* v) {
        if (*v < 0 || *v >= n || seen[*v]++ != 0) bad("finalized {}", *v);
        runs++;
      });
    }
  });
  runtime::GC();
  for (int i = 0; i < 1000 && runs < n / 10 * 9; i++) boot::time::Sleep(std::chrono::milliseconds(1));
  if (runs < n / 10 * 9) bad("one cycle has finalized {} of {} ints", runs.load(), n);
  settle("tiny", [] { return runs == n; });
}

template <int N>
struct bytes {
  static inline std::map<std::uintptr_t, int> made;  // address turned over, so that it keeps nothing
  static inline int gone;
  char c[N];
  ~bytes() {
    auto it = made.find(~reinterpret_cast<std::uintptr_t>(this));
    if (it == made.end() || it->second != 1) bad("destructor of {} bytes with a wrong this", N);
    it->second = 0;
    for (char v : c)
      if (v != N) bad("{} bytes: contents {}", N, v);
    gone++;
  }
};
struct empty {
  static inline std::map<std::uintptr_t, int> made;
  static inline int gone;
  ~empty() {
    auto it = made.find(~reinterpret_cast<std::uintptr_t>(this));
    if (it == made.end() || it->second != 1) bad("destructor of an empty object with a wrong this");
    it->second = 0;
    gone++;
  }
};

}  // namespace
template <int N>
inline constexpr bool boot::noscan<bytes<N>> = true;
namespace {

template <int N>
void makeBytes() {
  auto* p = boot::New<bytes<N>>();
  for (char& v : p->c) v = N;
  bytes<N>::made[~reinterpret_cast<std::uintptr_t>(p)] = 1;
}

void sizes() {
  constexpr int n = 300;
  apart([] {
    for (int i = 0; i < n; i++) {
      makeBytes<1>();
      makeBytes<2>();
      makeBytes<3>();
      makeBytes<7>();
      makeBytes<8>();
      makeBytes<11>();
      makeBytes<15>();
      makeBytes<16>();
      makeBytes<24>();
      empty::made[~reinterpret_cast<std::uintptr_t>(boot::New<empty>())] = 1;
    }
  });
  settle("sizes", [] {
    return bytes<1>::gone == n && bytes<2>::gone == n && bytes<3>::gone == n && bytes<7>::gone == n &&
           bytes<8>::gone == n && bytes<11>::gone == n && bytes<15>::gone == n && bytes<16>::gone == n &&
           bytes<24>::gone == n && empty::gone == n;
  });
}

void inner() {
  struct two {
    short a, b;
  };
  static int runs;
  apart([] {
    for (int i = 0; i < 100; i++) {
      auto* p = boot::New<two>();
      p->b = 77;
      runtime::SetFinalizer(&p->b, [](short* b) { runs += *b == 77; });
    }
  });
  settle("inner", [] { return runs == 100; });
}

// ---- order ----

struct node {
  static inline int gone, wrong;
  node* next = nullptr;
  node* other = nullptr;
  std::string s = std::string(30, 'n');
  bool dead = false, inOrder = true;
  ~node() {
    if (dead || s != std::string(30, 'n')) bad("a node is destroyed twice, or was freed before");
    if (inOrder && next != nullptr && next->dead) wrong++;
    if (inOrder && other != nullptr && other->dead) wrong++;
    dead = true;
    gone++;
  }
};

void nodes(const char* what, int n, void (*make)(int)) {
  node::gone = node::wrong = 0;
  apart([=] { make(n); });
  settle(what, [=] { return node::gone == n; });
  collect();
  if (node::gone != n) bad("{}: {} of {} destroyed", what, node::gone, n);
  if (node::wrong != 0) bad("{}: {} were destroyed before an object that points to them", what, node::wrong);
}

void circle(int n) {
  auto* first = boot::New<node>();
  node* last = first;
  for (int i = 1; i < n; i++) last = last->next = boot::New<node>();
  last->next = first;
  for (node* p = first; n-- > 0; p = p->next) p->inOrder = false;
}
void list(int n) {
  node* head = nullptr;
  for (int i = 0; i < n; i++) {
    auto* p = boot::New<node>();
    p->next = head;
    head = p;
  }
}
node* makeTree(int depth, node* parent) {  // 2^depth - 1 nodes that know their parents: one circle
  auto* p = boot::New<node>();
  p->inOrder = false;
  if (depth > 1) {
    p->next = makeTree(depth - 1, p);
    p->other = makeTree(depth - 1, p);
    if (depth % 2 == 0) *boot::New<node*>() = parent;
  }
  if (p->next == nullptr) p->next = parent;
  return p;
}
// Random edges, each from a lower to a higher number through a plain object or not, and circles of three hung on.
void tangle(int n) {
  struct plain {
    void* p[3];
  };
  auto all = boot::make_slice<node*>(n);
  unsigned r = 12345;
  auto rnd = [&] { return (r = r * 1103515245 + 12345) >> 8; };
  for (int i = n - 1; i >= 0; i--) {
    all[i] = boot::New<node>();
    if (i + 1 < n) all[i]->next = all[i + 1 + rnd() % (n - i - 1)];
    if (i + 4 < n && i % 4 == 0) {
      auto* q = boot::New<plain>();
      q->p[1] = all[i + 1 + rnd() % (n - i - 1)];
      q->p[2] = q;
      all[i]->other = reinterpret_cast<node*>(q);
      all[i]->inOrder = false;
    }
    if (i % 8 == 0) {  // points back to one that points to it
      all[i]->other = all[i]->next;
      if (all[i]->next != nullptr) all[i]->inOrder = false;
    }
  }
}

// Depth by depth: an object that is pointed to through one that has no destructor is destroyed later, too.
struct outer {
  static inline int early;
  node** box;
  ~outer() {
    if ((*box)->dead) early++;
  }
};

void mixed() {
  static std::string order;
  static int kept;
  struct named {
    named* p = nullptr;
    char name = 0;
    ~named() { order += name; }
  };
  auto make = [](char name, named* p) {
    auto* o = boot::New<named>();
    o->name = name;
    o->p = p;
    return o;
  };
  // A destructor's object points to one with a finalizer, and that to one with a destructor.
  apart([=] {
    named* last = make('c', nullptr);
    auto* f = boot::New<std::array<void*, 2>>();
    (*f)[0] = last;
    runtime::SetFinalizer(f, [](auto* v) { order += static_cast<named*>((*v)[0])->name == 'c' ? 'f' : '?'; });
    make('a', reinterpret_cast<named*>(f));
  });
  settle("mixed", [] { return order.size() == 3; });
  if (order != "afc") bad("mixed: order {}", order);
  // Both on one object: the finalizer first. And a circle with a finalizer in it stays, with all that it points to.
  order.clear();
  apart([=] {
    named* b = make('b', nullptr);
    runtime::SetFinalizer(b, [](named*) { order += 'B'; });
    named* x = make('x', nullptr);
    named* y = make('y', x);
    x->p = y;
    runtime::SetFinalizer(x, [](named*) { kept++; });
    make('z', y);
  });
  settle("both", [] { return order.size() == 3; });
  for (int i = 0; i < 3; i++) collect();
  if (kept != 0 || (order != "zBb" && order != "Bzb" && order != "Bbz")) bad("both: {} {}", order, kept);
}

void boxes() {
  node::gone = 0;
  outer::early = 0;
  apart([] {
    for (int i = 0; i < 100; i++) {
      node** box = boot::New<node*>();
      *box = boot::New<node>();
      boot::New<outer>(box);
    }
  });
  settle("boxes", [] { return node::gone == 100; });
  if (outer::early != 0) bad("{} were destroyed before an object that points to them through a box", outer::early);
}

// ---- what destructors do ----

void members() {
  struct owner {
    owner* peer = nullptr;
    std::shared_ptr<std::string> shared;
    std::unique_ptr<std::vector<int>> vec = std::make_unique<std::vector<int>>(100, 7);
    // A map's nodes point to the map, so one in the object itself would keep it: see boot/mem.h.
    std::unique_ptr<std::map<int, std::string>> map{new std::map<int, std::string>{{1, "a"}, {2, "b"}}};
  };
  static std::weak_ptr<std::string> watch;
  apart([] {
    auto s = std::make_shared<std::string>("shared by all");
    watch = s;
    owner *first = nullptr, *last = nullptr;
    for (int i = 0; i < 50; i++) {
      auto* o = boot::New<owner>();
      o->shared = s;
      o->peer = last;
      last = o;
      if (first == nullptr) first = o;
    }
    first->peer = last;
  });
  settle("members", [] { return watch.expired(); });
}

void busy() {
  static int gone;
  struct worker {
    worker* peer = nullptr;
    int kind = 0;
    ~worker() noexcept(false) {
      auto s = boot::make_slice<int>(1000);
      for (int& v : s)
        if (v != 0) bad("not zero");
      switch (kind % 5) {
        case 0:
          boot::New<node>();
          break;
        case 1: {
          auto c = boot::make_chan<int>();
          boot::go([=] { c.send(3); });
          if (c.recv() != 3) bad("channel");
          break;
        }
        case 2:
          try {
            boot::panic("on the way");
          } catch (const boot::Panic&) {}
          break;
        case 3:
          boot::time::Sleep(std::chrono::microseconds(10));
          break;
        case 4:
          runtime::GC();
          break;
      }
      gone++;
    }
  };
  apart([] {
    for (int i = 0; i < 100; i++) {
      auto* a = boot::New<worker>();
      a->kind = i;
      a->peer = boot::New<worker>();
      a->peer->peer = a;
      a->peer->kind = i / 5;
    }
  });
  settle("busy", [] { return gone == 200; });
  settle("busy's nodes", [] { return node::gone >= 20; });
}

struct saved {
  static inline saved *self, *partner;
  static inline int gone;
  saved* peer = nullptr;
  int value = 0;
  std::string text = "some text that is long enough for a block";
  ~saved() {
    gone++;
    self = this;
    partner = peer;
  }
};
void back() {
  apart([] {
    auto* a = boot::New<saved>();
    a->peer = boot::New<saved>();
    a->peer->peer = a;
    a->value = a->peer->value = 42;
  });
  settle("back", [] { return saved::gone == 2; });
  for (int i = 0; i < 3; i++) collect();
  apart([] {  // in the way, if the memory had been freed
    for (int i = 0; i < 1000; i++) boot::New<saved>()->value = 1;
    node::gone = 0;
  });
  saved *a = saved::self, *b = saved::partner;
  if (saved::gone < 2) bad("gone {}", saved::gone);
  if (a->value != 42 || b->value != 42 || a->peer != b || b->peer != a) bad("an object that was brought back is lost");
  saved::self = saved::partner = nullptr;
}

struct item {
  static inline int gone;
  boot::chan<item>* home = nullptr;  // the channel that it lies in
  bool full = false;
  item() = default;
  item(item&& o) noexcept : home(o.home), full(std::exchange(o.full, false)) {}
  item& operator=(item&&) = delete;
  ~item() {
    if (!full) return;
    gone++;
    if (home->len() == 2) home->recv();
  }
};
void channel() {
  apart([] {
    auto* c = boot::New<boot::chan<item>>(boot::make_chan<item>(4));
    for (int i = 0; i < 3; i++) {
      item v;
      v.home = c;
      v.full = true;
      c->send(std::move(v));
    }
  });
  settle("channel", [] { return item::gone == 3; });
  collect();
  if (item::gone != 3) bad("{} of 3 values destroyed", item::gone);
}

void freed() {
  struct large {
    large* peer;
    char room[100000];
    ~large() { room[0] = 1; }
  };
  std::uint64_t most = 0;
  for (int i = 0; i < 30; i++) {
    apart([] {
      for (int k = 0; k < 20; k++) {
        auto* a = boot::New<large>();
        a->peer = boot::New<large>();
        a->peer->peer = a;
      }
    });
    collect();
    runtime::MemStats m;
    runtime::ReadMemStats(&m);
    if (m.HeapAlloc > most) most = m.HeapAlloc;
  }
  if (most > 60 << 20) bad("30 times 4 MB in circles have become {} MB", most >> 20);
}

}  // namespace

void main_main() {
  if (boot::os::Args().size() > 1) {  // a panic leaves a destructor (gc_destructors_panic.run)
    struct loud {
      ~loud() noexcept(false) { boot::panic("in a destructor"); }
    };
    apart([] { boot::New<loud>(); });
    for (;;) collect();
  }
  tiny();
  boot::println("tiny");
  sizes();
  boot::println("sizes");
  inner();
  boot::println("inner");
  for (int i = 0; i < 20; i++) nodes("pair", 2, circle);
  boot::println("pair");
  nodes("self", 1, circle);
  boot::println("self");
  nodes("ring", 5000, circle);
  boot::println("ring");
  nodes("list", 100000, list);
  boot::println("list");
  nodes("tree", (1 << 14) - 1, [](int) { makeTree(14, nullptr); });
  boot::println("tree");
  nodes("tangle", 3000, tangle);
  boxes();
  boot::println("tangle");
  mixed();
  boot::println("mixed");
  members();
  boot::println("members");
  busy();
  boot::println("busy");
  back();
  boot::println("back");
  channel();
  boot::println("channel");
  freed();
  boot::println("freed");
}
