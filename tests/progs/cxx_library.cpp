// The parts of the C++ library that need no more than memory: containers, algorithms, strings, smart pointers,
// std::function, optional, variant, any, RTTI, numbers to and from text, ranges, random numbers, error codes.
// PROCS: 1 2 8
// HOSTED: also
// STDOUT: ok
#include <algorithm>
#include <any>
#include <array>
#include <bitset>
#include <charconv>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <forward_list>
#include <functional>
#include <limits>
#include <list>
#include <map>
#include <memory>
#include <memory_resource>
#include <numeric>
#include <optional>
#include <queue>
#include <random>
#include <ranges>
#include <set>
#include <span>
#include <stack>
#include <string>
#include <string_view>
#include <system_error>
#include <tuple>
#include <typeindex>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

#include "cxx_check.h"

static void containers() {
  std::vector<int> v(1000);
  std::iota(v.begin(), v.end(), 0);
  std::mt19937 rng(7);
  std::shuffle(v.begin(), v.end(), rng);
  std::vector<int> w = v;
  std::sort(v.begin(), v.end());
  std::stable_sort(w.begin(), w.end(), std::greater<>());
  CHECK(std::is_sorted(v.begin(), v.end()) && w.front() == 999);
  CHECK(std::accumulate(v.begin(), v.end(), 0) == 499500);

  std::map<std::string, int> m;
  std::unordered_map<std::string, int> um;
  for (int i = 0; i < 500; i++) m[std::to_string(i)] = um[std::to_string(i)] = i;
  CHECK(m.size() == 500 && um.at("321") == 321 && m.begin()->first == "0");
  for (int i = 0; i < 500; i += 2) um.erase(std::to_string(i));
  CHECK(um.size() == 250 && !um.contains("4"));

  std::list<int> l(v.begin(), v.end());
  l.reverse();
  l.sort();
  CHECK(l.front() == 0 && l.back() == 999);
  std::deque<int> d(v.begin(), v.end());
  d.push_front(-1);
  d.pop_back();
  CHECK(d.size() == 1000 && d[0] == -1);
  std::forward_list<int> f{3, 1, 2};
  f.sort();
  CHECK(f.front() == 1);
  std::priority_queue<int> q(v.begin(), v.end());
  CHECK(q.top() == 999);
  std::multiset<int> ms{1, 1, 2};
  CHECK(ms.count(1) == 2);
  std::unordered_set<std::string_view> us{"a", "b"};
  CHECK(us.contains("b"));
  std::bitset<200> bits;
  bits.set(199).flip(3);
  CHECK(bits.count() == 2);
  std::array<int, 3> a{1, 2, 3};
  CHECK(std::get<2>(a) == 3);
  std::pmr::monotonic_buffer_resource pool;
  std::pmr::vector<std::pmr::string> pv(&pool);
  for (int i = 0; i < 100; i++) pv.emplace_back("a string that is too long to be kept inside the object");
  CHECK(pv[99].size() == 54);
  try {
    (void)v.at(5000);
    CHECK(false);
  } catch (const std::out_of_range& e) {
    CHECK(std::string_view(e.what()).find("5000") != std::string_view::npos);
  }
}

template <class F>
static bool throwsOutOfRange(F f) {
  try {
    (void)f();
    return false;
  } catch (const std::out_of_range&) {
    return true;
  }
}

static void strings() {
  std::string s = "the quick brown fox";
  CHECK(s.find("brown") == 10 && s.rfind('o') == 17 && s.find_first_of("xyz") == 18);
  s.replace(4, 5, "slow").insert(0, 100, '-').append(" jumps");
  CHECK(s.size() == 124 && s.ends_with("fox jumps") && s.substr(104, 4) == "slow");
  CHECK(std::to_string(-42) == "-42" && std::to_string(1.5) == "1.500000");
  CHECK(std::stoi("0x1f", nullptr, 16) == 31 && std::stoll("-9223372036854775808") == INT64_MIN);
  CHECK(std::stod("2.5e3") == 2500 && std::stof("-0.125") == -0.125f && std::stold("0.5") == 0.5L);
  // Numbers out of range: the nearest there is, and ERANGE, which stod and its like throw.
  for (const char* text : {"1e999", "-1e999", "1e-320", "1e-999"}) {
    errno = 0;
    double near = std::strtod(text, nullptr);
    CHECK(errno == ERANGE && (std::isinf(near) || near == 1e-320 || near == 0));
    CHECK(throwsOutOfRange([=] { return std::stod(text); }));
  }
  CHECK(throwsOutOfRange([] { return std::stold("1e-4940"); }) &&
        throwsOutOfRange([] { return std::stold("1e-9999"); }));
  CHECK(throwsOutOfRange([] { return std::stof("1e-40"); }) && std::stold("0e-9999") == 0 &&
        std::stod("0x1p-1074") == 5e-324);
  bool thrown = false;
  try {
    (void)std::stoi("99999999999");
  } catch (const std::out_of_range&) {
    thrown = true;
  }
  try {
    (void)std::stoi("x");
    thrown = false;
  } catch (const std::invalid_argument&) {}
  CHECK(thrown);
  char buf[64];
  auto r = std::to_chars(buf, buf + sizeof buf, 0.1);
  CHECK(std::string_view(buf, r.ptr) == "0.1");
  double x = 0;
  std::from_chars(buf, r.ptr, x);
  CHECK(x == 0.1);
  std::wstring ws = L"wide";
  ws += std::wstring(50, L'x');
  CHECK(ws.find(L'x') == 4 && ws.compare(L"wide") > 0);
  std::u16string u16 = u"\u00fc\u00df";
  CHECK(u16.size() == 2);
  CHECK(std::strcmp("abc", "abd") < 0 && std::strlen("abc") == 3 && std::strstr("hello", "ll") != nullptr);
  CHECK(std::memcmp("aaaaaaaaaaaaaaaaaaaaaaaab", "aaaaaaaaaaaaaaaaaaaaaaaaa", 25) > 0);
  // Each length and alignment of the vector loops.
  char block[200];
  for (std::size_t at = 0; at < 32; at++) {
    for (std::size_t n = 0; n < 100; n++) {
      std::memset(block, 'a', sizeof block);
      block[at + n] = 0;
      CHECK(std::strlen(block + at) == n && std::memchr(block + at, 0, n) == nullptr);
      CHECK(std::memchr(block + at, 0, n + 1) == block + at + n);
    }
  }
}

struct Base {
  virtual ~Base() = default;
  virtual int id() const { return 1; }
};
struct Derived : virtual Base {
  int id() const override { return 2; }
};
struct Other : virtual Base {};
struct Both : Derived, Other {
  int id() const override { return 3; }
};

static void objects() {
  auto shared = std::make_shared<Derived>();
  std::weak_ptr<Derived> weak = shared;
  std::shared_ptr<Base> base = shared;
  CHECK(base.use_count() == 2 && std::dynamic_pointer_cast<Derived>(base)->id() == 2);
  shared.reset();
  base.reset();
  CHECK(weak.expired());
  std::unique_ptr<Base> u = std::make_unique<Derived>();
  CHECK(typeid(*u) == typeid(Derived) && dynamic_cast<Other*>(u.get()) == nullptr);
  Both both;
  Other* other = &both;
  CHECK(dynamic_cast<Derived*>(other)->id() == 3 && std::type_index(typeid(*other)) == typeid(Both));
  bool thrown = false;
  try {
    (void)dynamic_cast<Other&>(*u);
  } catch (const std::bad_cast&) {
    thrown = true;
  }
  CHECK(thrown);

  int n = 0;
  std::function<int(int)> f = [&n, big = std::array<int, 20>{}](int k) { return n += k + big[3]; };
  auto g = f;
  CHECK(f(2) == 2 && g(3) == 5);
  std::function<void()> none;
  try {
    none();
    CHECK(false);
  } catch (const std::bad_function_call&) {}
  CHECK(std::invoke(&Base::id, *u) == 2);
  std::optional<std::string> o;
  try {
    (void)o.value();
    CHECK(false);
  } catch (const std::bad_optional_access&) {}
  o = "x";
  std::variant<int, std::string, double> var = "text";
  CHECK(*o == "x" && std::visit([](auto&& x) { return sizeof x; }, var) == sizeof(std::string));
  std::any any = std::string("any");
  CHECK(std::any_cast<std::string&>(any) == "any" && std::any_cast<int>(&any) == nullptr);
  std::error_code ec(2, std::generic_category());
  CHECK(ec.message() == "No such file or directory" && ec == std::errc::no_such_file_or_directory);
  std::tuple t{1, 'a', 2.5};
  CHECK(std::get<char>(t) == 'a');
}

struct alignas(256) Wide {
  char c[256];
};

static void memory() {
  std::vector<std::unique_ptr<char[]>> keep;
  for (std::size_t n = 1; n < 100'000; n = n * 3 / 2 + 1) {
    keep.emplace_back(new char[n]);
    std::memset(keep.back().get(), 1, n);
    CHECK(n < 16 || reinterpret_cast<std::uintptr_t>(keep.back().get()) % 16 == 0);
  }
  auto w = std::make_unique<Wide[]>(3);
  CHECK(reinterpret_cast<std::uintptr_t>(w.get()) % 256 == 0);
  auto p = static_cast<char*>(std::malloc(10));
  std::memcpy(p, "012345678", 10);
  p = static_cast<char*>(std::realloc(p, 100'000));
  CHECK(std::strcmp(p, "012345678") == 0);
  std::free(p);
  auto z = static_cast<int*>(std::calloc(1000, 4));
  CHECK(std::all_of(z, z + 1000, [](int x) { return x == 0; }));
  std::free(z);
  // A sanitizer's allocator reports such sizes, whatever was asked for.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  // The sizes come from a variable, or the compiler would leave out the calls.
  volatile std::size_t huge = SIZE_MAX / 4;
  CHECK(new (std::nothrow) char[huge] == nullptr);
  CHECK(std::calloc(huge, 8) == nullptr && errno == ENOMEM);
  bool thrown = false;
  try {
    delete[] new char[huge];
  } catch (const std::bad_alloc&) {
    thrown = true;
  }
  CHECK(thrown);
#endif
  CHECK(std::aligned_alloc(4096, 8192) != nullptr);
}

static void numbers() {
  namespace views = std::views;
  std::vector<int> v;
  for (int x : views::iota(0, 100) | views::filter([](int i) { return i % 7 == 0; }) |
                   views::transform([](int i) { return i * i; }))
    v.push_back(x);
  CHECK(v.size() == 15 && v.back() == 98 * 98);
  std::ranges::reverse(v);
  CHECK(std::ranges::max(v) == v[0] && std::gcd(12, 18) == 6);
  std::mt19937_64 rng(5489u);
  rng.discard(9999);
  CHECK(rng() == 9981545732273789042u);  // the value that the standard gives
  std::uniform_int_distribution<int> die(1, 6);
  for (int i = 0; i < 100; i++) {
    int x = die(rng);
    CHECK(x >= 1 && x <= 6);
  }
  CHECK(std::sqrt(2.25) == 1.5 && std::isnan(std::numeric_limits<double>::quiet_NaN()));
}

void main_main() {
  onGoroutines(16, [](int) {
    containers();
    strings();
    objects();
    memory();
    numbers();
  });
  boot::println("ok");
}
