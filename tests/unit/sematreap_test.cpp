// The treap of semaphores' waiters against a map of queues: who waits longest on an address goes first, LIFO waiters
// before all, and the tree stays a search tree by address and a heap by ticket.
// SOURCES: tests/unit/throw_stub.cpp
#include "runtime/sync/sematreap.h"

#include <deque>
#include <map>
#include <memory>
#include <random>
#include <vector>

#include "tests/unit/catch.h"

using namespace runtime;

namespace {

// Checks the tree below t and counts its nodes; lo and hi: what addresses must lie between.
std::size_t check(const sudog* t, const sudog* parent, uintptr lo, uintptr hi, bool* ok) {
  if (t == nullptr) return 0;
  auto a = reinterpret_cast<uintptr>(t->elem);
  if (t->parent != parent || a <= lo || a >= hi || t->ticket == 0 || (parent != nullptr && parent->ticket > t->ticket))
    *ok = false;
  return 1 + check(t->prev, t, lo, a, ok) + check(t->next, t, a, hi, ok);
}

}  // namespace

TEST_CASE("waiters leave in their order, and the tree is one", "[sema]") {
  std::vector<std::uint32_t> words(64);
  for (std::uint32_t seed = 1; seed <= 30; seed++) {
    std::mt19937 rnd(seed);
    semaRoot root{};
    std::vector<std::unique_ptr<sudog>> all;
    std::map<std::uint32_t*, std::deque<sudog*>> model;
    std::size_t used = 1 + rnd() % words.size();
    for (int step = 0; step < 3000; step++) {
      std::uint32_t* addr = &words[rnd() % used];
      if (rnd() % 100 < (step < 2000 ? 55u : 35u)) {
        all.push_back(std::make_unique<sudog>());
        sudog* s = all.back().get();
        *s = {};
        bool lifo = rnd() % 4 == 0;
        // Equal tickets, too: they are random, not distinct.
        queue(&root, addr, s, lifo, (seed % 3 == 0 ? rnd() % 4 : rnd()) | 1);
        auto& q = model[addr];
        if (lifo)
          q.push_front(s);
        else
          q.push_back(s);
      } else {
        sudog* got = dequeue(&root, addr);
        auto& q = model[addr];
        sudog* want = q.empty() ? nullptr : q.front();
        if (want != nullptr) q.pop_front();
        if (got != want) FAIL("seed " << seed << " step " << step);
        if (got != nullptr) {
          CHECK(got->ticket == 0);
          CHECK(got->elem == nullptr);
        }
      }
      std::size_t waited = 0;
      for (auto& [a, q] : model) waited += !q.empty();
      bool ok = true;
      if (check(root.treap, nullptr, 0, ~uintptr{0}, &ok) != waited || !ok) FAIL("seed " << seed << " step " << step);
      // The waiters behind a node, in their order.
      if (step % 50 != 0) continue;
      for (auto& [a, q] : model) {
        sudog* last = nullptr;
        bool left = false;
        sudog* node = find(&root, a, &last, &left);
        REQUIRE((node == nullptr) == q.empty());
        for (sudog* s : q) {
          REQUIRE(node == s);
          node = node->waitlink;
        }
      }
    }
    for (auto& [a, q] : model)
      for (; !q.empty(); q.pop_front()) REQUIRE(dequeue(&root, a) == q.front());
    CHECK(root.treap == nullptr);
  }
}
