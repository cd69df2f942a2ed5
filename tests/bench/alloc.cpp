// Allocation: what the collector and the allocator cost together.
#include <array>

#include "bench.h"

namespace bench {

using clock = std::chrono::steady_clock;

namespace {

struct node {
  node *left = nullptr, *right = nullptr;
};

node* bottomUp(std::int64_t depth) {
  if (depth == 0) return boot::New<node>();
  node* l = bottomUp(depth - 1);
  node* r = bottomUp(depth - 1);
  return boot::New<node>(l, r);
}

std::int64_t count(const node* t) { return t->left == nullptr ? 1 : 1 + count(t->left) + count(t->right); }

constexpr std::int64_t live = 1024;  // objects kept reachable by the allocation benchmarks

template <class T>
result allocate(std::int64_t n) {
  auto* ring = boot::New<std::array<T*, live>>();
  auto start = clock::now();
  for (std::int64_t i = 0; i < n; i++) (*ring)[i % live] = boot::New<T>();
  auto took = clock::now() - start;
  check((*ring)[0] != nullptr);
  return {n, took};
}

}  // namespace

// binary-trees of depth n; one op is one node.
result trees(std::int64_t n) {
  constexpr std::int64_t min = 4;
  std::int64_t nodes = 0;
  auto start = clock::now();
  nodes += count(bottomUp(n + 1));
  node* lasting = bottomUp(n);
  for (std::int64_t d = min; d <= n; d += 4)
    for (std::int64_t i = 0; i < std::int64_t{1} << (n - d + min); i++) nodes += count(bottomUp(d));
  nodes += count(lasting);
  return {nodes, clock::now() - start};
}

result alloc16(std::int64_t n) { return allocate<std::array<std::uint8_t, 16>>(n); }
result alloc64(std::int64_t n) { return allocate<std::array<std::uint8_t, 64>>(n); }
result alloc256(std::int64_t n) { return allocate<std::array<std::uint8_t, 256>>(n); }
result allocptr64(std::int64_t n) { return allocate<std::array<std::int64_t*, 8>>(n); }

}  // namespace bench
