// Interface values: conversion, calls, assertions with and without ok, pairs known to the compiler and pairs found at
// run time. The last one panics, and nobody recovers.
// CLAIMS: [C16]
// PROCS: 1 2
// EXIT: 2
// STDERR-MATCH: ^panic: interface conversion: interface \{\} is \*main\.Square, not \*geo\.Circle$
// STDERR-MATCH: ^goroutine 1 \[running\]:$
#include <boot/boot.h>

#include <string>

struct Shape {
  double (*area)(void*);
  void (*scale)(void*, double);
  BOOT_INTERFACE(Shape, area, scale)
};
struct Named {
  std::string (*name)(void*);
  BOOT_INTERFACE(Named, name)
};
struct Wrong {  // the same name, another signature
  int (*area)(void*);
  BOOT_INTERFACE(Wrong, area)
};

namespace geo {
struct Circle {
  double r;
  double area() const { return 3 * r * r; }
  void scale(double k) { r *= k; }
  std::string name() { return "circle"; }
};
}  // namespace geo
BOOT_METHODS(geo::Circle, area, scale, name);

struct Square {
  double a;
  double area() noexcept { return a * a; }
  void scale(const double& k) { a *= k; }  // callable with a double, which is all that a conversion asks
};

template <class F>
static void expect(F f) {
  try {
    f();
    boot::println("no panic");
  } catch (std::exception& e) {
    boot::println("{}", e.what());
  }
}

void main_main() {
  geo::Circle c{2};
  Square q{3};
  boot::iface<Shape> shapes[] = {&c, &q, nullptr};
  for (auto& s : shapes) {
    if (!s) {
      boot::println("nil");
      continue;
    }
    s.call<&Shape::scale>(2.0);
    boot::println("area {}", s.call<&Shape::area>());
  }
  auto [p, ok] = shapes[0].as_ok<geo::Circle>();
  boot::println("circle {} {}", p == &c, ok);
  auto [p2, ok2] = shapes[1].as_ok<geo::Circle>();
  boot::println("square as circle {} {}", p2 == nullptr, ok2);
  boot::println("{}", shapes[0].as<Named>().call<&Named::name>());
  boot::println("square named {}", shapes[1].as_ok<Named>().second);
  boot::println("again {} wrong signature {}", shapes[0].as_ok<Named>().second, shapes[0].as_ok<Wrong>().second);
  boot::iface<boot::Any> any = &q;
  boot::println("any {} {}", any.as<Square>() == &q, any.as_ok<Shape>().second);
  boot::println("equal {} {}", boot::iface<Shape>(&q) == shapes[1], shapes[0] == shapes[1]);

  expect([&] { shapes[1].as<geo::Circle>(); });
  expect([&] { shapes[2].as<geo::Circle>(); });
  expect([&] { shapes[2].as<Named>(); });
  expect([&] { shapes[1].as<Named>(); });
  expect([&] { any.as<int>(); });
  expect([&] { boot::iface<boot::Any>().as<int>(); });
  any.as<geo::Circle>();
}
