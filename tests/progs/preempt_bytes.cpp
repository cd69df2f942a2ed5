// One P, and a goroutine that spends its time in a single call over a large block: others have their turn during that
// call, not only after it. And what is done in pieces has the same results.
// TIMEOUT: 100
// ENV: GOMAXPROCS=1
// STDOUT: results
// STDOUT: memset
// STDOUT: memmove up
// STDOUT: memmove down
// STDOUT: memcpy
// STDOUT: memcmp
// STDOUT: memchr
// STDOUT: memrchr
// STDOUT: strlen
// STDOUT: strchr
// STDOUT: strcmp
// STDOUT: string
// STDOUT: calloc
// STDOUT: realloc
#include <boot/boot.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

constexpr std::size_t kSize = 64 << 20;
// By pointers: a call that only reads the compiler would move out of its place.
int (*volatile vmemcmp)(const void*, const void*, std::size_t) = memcmp;
const void* (*volatile vmemchr)(const void*, int, std::size_t) = memchr;
const void* (*volatile vmemrchr)(const void*, int, std::size_t) = memrchr;
std::size_t (*volatile vstrlen)(const char*) = strlen;
const char* (*volatile vstrchr)(const char*, int) = strchr;
int (*volatile vstrcmp)(const char*, const char*) = strcmp;
char *a, *b;
std::size_t sink;
volatile std::size_t anySize = SIZE_MAX;

volatile bool inside;
// Around the call itself: in front of it, at the start of a function, a goroutine may be stopped anyhow.
#define IN(call)    \
  do {              \
    inside = true;  \
    call;           \
    inside = false; \
  } while (false)

// From another goroutine: was it ever seen inside of a call?
template <class F>
void duringOne(const char* what, F call) {
  static volatile bool stop, ended;
  stop = false;
  ended = false;
  boot::go([=] {
    while (!stop) call();
    ended = true;
  });
  auto begin = boot::time::Now();
  while (!inside && boot::time::Since(begin) < std::chrono::seconds(5)) runtime::Gosched();
  bool seen = inside;
  stop = true;
  while (!ended) runtime::Gosched();
  boot::println("{}{}", what, seen ? "" : ": nobody else ran during a call");
}

std::uint64_t state = 88172645463325252;
std::uint64_t rnd() {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

void check(bool ok, const char* what, std::size_t n) {
  if (!ok) boot::panic(fmt::format("{} of {} bytes", what, n));
}

void results() {
  constexpr std::size_t room = 5 << 20;
  std::string from(room, 0), want, got;
  for (char& c : from) c = static_cast<char>(rnd() | 1);
  for (int i = 0; i < 40; i++) {
    std::size_t n = (1 << 20) - 2 + rnd() % (3 << 20), s = rnd() % (1 << 20), d = rnd() % (1 << 20);
    if (i % 4 == 0) d = s + rnd() % 100;
    if (i % 4 == 1) s = d + rnd() % 100;
    if (i % 8 == 2) n = (1 << 20) + (i / 8 - 1) * 262144 + i % 3 - 1;
    want = got = from;
    for (std::size_t k = 0; k < n; k++) want[d + k] = from[s + k];
    check(memmove(got.data() + d, got.data() + s, n) == got.data() + d && got == want, "memmove", n);
    for (std::size_t k = 0; k < n; k++) want[d + k] = 'z';
    check(memset(got.data() + d, 0x100 | 'z', n) == got.data() + d && got == want, "memset", n);
    got = from;
    char* p = got.data() + s;
    char* q = want.data() + d;
    memcpy(q, p, n);
    check(memcmp(p, q, n) == 0, "memcmp", n);
    q[n - 1]++;
    check((memcmp(p, q, n) > 0) == (static_cast<unsigned char>(p[n - 1]) > static_cast<unsigned char>(q[n - 1])),
          "memcmp", n);
    check(memcmp(p, q, n - 1) == 0, "memcmp", n);
    std::size_t at = n - 1 - rnd() % 1000;
    p[at] = q[at] = 0;
    check(strlen(p) == at && strnlen(p, n) == at && strnlen(p, at) == at, "strlen", at);
    check(memchr(p, 0, n) == p + at && memchr(p, 0, at) == nullptr && memchr(p, 0, anySize) == p + at, "memchr", n);
    check(memrchr(p, 0, n) == p + at && rawmemchr(p, 0) == p + at, "memrchr", n);
    check(strcmp(p, q) == 0 && strncmp(p, q, n) == 0 && strchr(p, 0) == p + at && strchrnul(p, 2) == p + at, "strcmp",
          at);
    p[at - 1] = 2;
    q[at - 1] = 4;
    check(strcmp(p, q) < 0 && strncmp(q, p, n) > 0 && strncmp(p, q, at - 1) == 0, "strcmp", at);
    check(strchr(p, 2) == p + at - 1 && strrchr(q, 4) == q + at - 1, "strchr", at);
    check(strstr(p, p + at - 20) == p + at - 20 && memmem(p, n, p + at - 30, 30) == p + at - 30, "strstr", at);
  }
  boot::println("results");
}

}  // namespace

void main_main() {
  results();
  a = static_cast<char*>(malloc(kSize + 1));
  b = static_cast<char*>(malloc(kSize + 1));
  memset(a, 1, kSize);
  memset(b, 1, kSize);
  a[kSize] = b[kSize] = 0;
  duringOne("memset", [] { IN(memset(a, 1, kSize)); });
  duringOne("memmove up", [] { IN(memmove(a, a + 1000, kSize - 1000)); });
  duringOne("memmove down", [] { IN(memmove(a + 1000, a, kSize - 1000)); });
  duringOne("memcpy", [] { IN(memcpy(a, b, kSize)); });
  duringOne("memcmp", [] { IN(sink = static_cast<std::size_t>(vmemcmp(a, b, kSize))); });
  duringOne("memchr", [] { IN(sink = vmemchr(a, 0, kSize) == a); });
  duringOne("memrchr", [] { IN(sink = vmemrchr(a, 2, kSize) == a); });
  duringOne("strlen", [] { IN(sink = vstrlen(a)); });
  duringOne("strchr", [] { IN(sink = vstrchr(a, 2) == a); });
  duringOne("strcmp", [] { IN(sink = static_cast<std::size_t>(vstrcmp(a, b))); });
  duringOne("string", [] {
    static std::string s(kSize, 'x');
    IN(s.assign(kSize, 'y'));
  });
  duringOne("calloc", [] {
    void* q;
    IN(q = calloc(kSize, 1));
    auto p = static_cast<char*>(q);
    sink = p == nullptr || p[kSize / 2] != 0;
    memset(p, 1, 1 << 19);
    free(p);
  });
  duringOne("realloc", [] {
    static std::size_t n = kSize;
    static char* p = static_cast<char*>(malloc(n));
    n = n == kSize ? kSize * 2 + 10000 : kSize;
    void* q;
    IN(q = realloc(p, n));
    p = static_cast<char*>(q);
  });
}
