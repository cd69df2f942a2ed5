// The texts of failed type assertions.
#include "boot/iface.h"

#include <string>

#include "runtime/base/panic.h"

namespace boot::detail {

namespace {

// C++'s name of a type as Go would write it: geo::Circle is geo.Circle, what is in no namespace is in package main.
std::string goname(std::string_view name, bool builtin) {
  std::string s;
  bool qualified = builtin || name == "interface {}";
  for (std::size_t i = 0; i < name.size(); i++) {
    if (name[i] == ':' && i + 1 < name.size() && name[i + 1] == ':') {
      s += '.';
      qualified = true;
      i++;
    } else {
      s += name[i];
    }
  }
  return qualified ? s : "main." + s;
}

std::string goname(const runtime::rtype* t) { return "*" + goname({t->name, t->namelen}, t->builtin); }
std::string goname(const runtime::interfacetype* t) { return goname({t->name, t->namelen}, false); }

[[noreturn]] void fail(const std::string& text) { runtime::panicplain(text.c_str()); }  // copies it

}  // namespace

void panicassert(const runtime::interfacetype* inter, const runtime::rtype* concrete, const runtime::rtype* wanted) {
  fail("interface conversion: " + goname(inter) + " is " + (concrete == nullptr ? "nil" : goname(concrete)) + ", not " +
       goname(wanted));
}

void panicassert(const runtime::rtype* concrete, const runtime::interfacetype* wanted, const char* missing) {
  if (concrete == nullptr) fail("interface conversion: interface is nil, not " + goname(wanted));
  fail("interface conversion: " + goname(concrete) + " is not " + goname(wanted) + ": missing method " + missing);
}

}  // namespace boot::detail
