// Panics as C++ exceptions: throwing them, and deferred functions that panic while something unwinds; see panic.h.
// What happens to a panic that nobody catches stands in unhandled.cpp.
//
// Invariants
//   - g._panic is the newest boot::Panic object of a goroutine that is still alive.
//   - An exception on its way cannot be exchanged for another one: the unwinder holds it. A deferred function's panic
//     changes the value of the boot::Panic in flight, or, for any other exception, is kept until the report.
//   - Exceptions do not cross systemstack or mcall: everything here runs on the goroutine's own stack.
//
// Way not taken: the return addresses at each throw. Caught panics would pay for a report that nobody prints; only one
// that is thrown while another unwinds takes them, since its frames would be gone when it is known who catches it.
#include "boot/panic_impl.h"
#include "runtime/base/hooks.h"
#include "runtime/base/panic.h"
#include "runtime/base/print.h"
#include "runtime/diag/signal_unix.h"
#include "runtime/diag/symtab.h"

using runtime::g;
using runtime::uintptr;

namespace runtime {
std::uint32_t runningPanicDefers;
}

namespace boot::detail {

int throwerpcs(uintptr** pcs, uintptr pc, uintptr sp, uintptr bp) {
  // Neither the array nor the walk is on this stack, of which a fault may have left little.
  auto* all = new uintptr[kMaxPcs];
  runtime::g* gp = runtime::getg();
  int k = 0, from = 0;
  runtime::systemstack([&] { k = runtime::gcallers(runtime::regsOf(pc, sp, bp), gp, all, kMaxPcs); });
  for (int i = 0; i < k && i < 12; i++) {
    const char* name = runtime::findfunc(all[i] - 1).name;
    if (name == nullptr) continue;
    for (const char* thrower :
         {"__cxa_throw", "__cxa_rethrow", "_Unwind_Resume_or_Rethrow", "boot::detail::throwpanic"})
      if (std::string_view(name) == thrower) from = i + 1;
  }
  __builtin_memmove(all, all + from, static_cast<std::size_t>(k - from) * sizeof *all);
  *pcs = all;
  return k - from;
}

int unwinding() noexcept {
  auto* state = unwindstate::of(runtime::getg());
  return static_cast<int>(globals()->uncaughtExceptions) + (state != nullptr ? state->goexits : 0);
}

Panic* panicaccess::inFlight() {
  auto* p = static_cast<Panic*>(newest());
  if (auto* state = unwindstate::of(runtime::getg()); state != nullptr && state->level == std::uncaught_exceptions()) {
    while (p != nullptr && p != state->thrown) p = p->link_;
    return p;
  }
  if (p == nullptr || p->level_ != std::uncaught_exceptions()) return nullptr;
  void* object;
  std::type_info* type;
  for (cxaException* e = globals()->caughtExceptions; e != nullptr && e->thrown(&object, &type); e = e->nextException)
    if (object == p && e->handlerCount > 0) return nullptr;
  return p;
}

// second, or an exception with this text and value, came out of a deferred function while first unwound: first goes on
// with its value.
void panicaccess::replace(Panic* first, Panic* second, const char* text, std::any value) {
  first->chain_ += std::string("panic: ") + first->what() + "\n\t";
  first->render_ = nullptr;
  if (second != nullptr) {
    // Thrown in the same catch block, it tells of what was caught there once more.
    std::string_view recovered = second->recovered_;
    if (recovered.starts_with(first->recovered_)) recovered.remove_prefix(first->recovered_.size());
    first->chain_ += recovered;
    first->render_ = second->render_;
    first->chain_ += second->chain_;
    std::swap(first->pcs_, second->pcs_);
    std::swap(first->npcs_, second->npcs_);
    // The signal of an older one stays: it is what the goroutine has met last.
    if (second->fault_.sig != 0) first->fault_ = second->fault_;
  }
  first->text_ = text;
  first->value_ = std::move(value);
}

void panicaccess::register_(Panic* p) {
  p->level_ = std::uncaught_exceptions() + 1;
  p->list_ = &newest();
  p->link_ = static_cast<Panic*>(newest());
  newest() = p;
  if (globals()->caughtExceptions != nullptr) p->recovered_ = recoveredTexts(&p->fault_);
}

void panicaccess::unregister(Panic* p) {
  // A Panic that outlived its goroutine through an exception_ptr is in nobody's list.
  if (p->list_ != nullptr && p->list_ == &newest() && *p->list_ == p) *p->list_ = p->link_;
  delete[] p->pcs_;
}

std::string recoveredTexts(faultinfo* fault) {
  std::string s;
  int n = 0;
  void* object;
  std::type_info* type;
  for (cxaException* e = globals()->caughtExceptions; e != nullptr && n < 16; e = e->nextException, n++) {
    if (!e->thrown(&object, &type)) break;
    if (e->handlerCount <= 0) continue;  // rethrown: it is on its way itself
    void* obj = object;
    if (typeid(Panic).__do_catch(type, &obj, 1)) {
      auto* p = static_cast<Panic*>(obj);
      if (fault->sig == 0) *fault = panicaccess::fault(*p);
      // It knows of the catch blocks around its own.
      return panicaccess::recovered(*p) + panicaccess::chain(*p) + "panic: " + p->what() + " [recovered]\n\t" + s;
    }
    s.insert(0, "panic: " + objecttext(type, object) + " [recovered]\n\t");
  }
  return s;
}

void panicaccess::setsignal(Panic* p, g* gp) { p->fault_ = {gp->sig, gp->sigcode0, gp->sigcode1, gp->sigpc}; }

// Runs on g0 while gp dies, whose exceptions are looked at as they lie there.
void panicaccess::resignal(g* gp) {
  auto* eh = reinterpret_cast<cxaGlobals*>(gp->eh_globals);
  for (auto* p = static_cast<Panic*>(gp->_panic); p != nullptr; p = p->link_) {
    if (p->fault_.sig == 0) continue;
    bool alive = eh->uncaughtExceptions != 0;
    void* object;
    std::type_info* type;
    for (cxaException* e = eh->caughtExceptions; e != nullptr && e->thrown(&object, &type); e = e->nextException)
      if (object == p) alive = true;
    if (!alive) continue;  // an exception_ptr keeps it
    gp->sig = static_cast<std::uint8_t>(p->fault_.sig);
    gp->sigcode0 = p->fault_.code;
    gp->sigcode1 = p->fault_.addr;
    gp->sigpc = p->fault_.pc;
    return;
  }
}

std::string gofloat(double v) {
  if (v != v) return "NaN";
  if (v > __DBL_MAX__) return "+Inf";
  if (v < -__DBL_MAX__) return "-Inf";
  char buf[40];
  std::size_t n = runtime::snprint(buf, sizeof buf, "{:+.6e}", v);
  // C's exponent has two digits at least, Go's three.
  std::string s(buf, n);
  std::size_t e = s.find('e');
  while (s.size() - e < 5) s.insert(e + 2, 1, '0');
  return s;
}

std::string addresstext(const void* p) {
  char buf[24];
  return {buf, runtime::snprint(buf, sizeof buf, "{:#x}", reinterpret_cast<uintptr>(p))};
}

void throwpanic(std::any value, std::string text, Panic::render r) {
  Panic* p = static_cast<Panic*>(abi::__cxa_allocate_exception(sizeof(Panic)));
  new (p) Panic(std::move(value), std::move(text), r);
  if (unwinding() > 0) panicaccess::taketrace(p, CALLER_PC_SP_BP);
  abi::__cxa_throw(p, const_cast<std::type_info*>(&typeid(Panic)), [](void* o) { static_cast<Panic*>(o)->~Panic(); });
}

namespace {

// A panic out of a deferred function while no Panic is on its way, but Goexit or another exception.
void keep(g* gp, Panic* second, const char* text, uintptr pc, uintptr sp, uintptr bp) {
  unwindstate* state = unwindstate::need(gp);
  if (!state->chain.empty()) state->chain += '\t';
  if (second != nullptr) state->chain += panicaccess::chain(*second);
  state->chain += std::string("panic: ") + text + "\n";
  delete[] state->pcs;
  state->pcs = nullptr;
  if (second != nullptr) {
    state->npcs = panicaccess::takepcs(*second, &state->pcs);
    if (panicaccess::fault(*second).sig != 0) state->fault = panicaccess::fault(*second);
  }
  // A bare exception has left no trace of where it was thrown; who deferred the function is the nearest thing.
  if (state->pcs == nullptr) state->npcs = throwerpcs(&state->pcs, pc, sp, bp);
}

}  // namespace

void rundeferred(void (*call)(void*), void* f) {
  g* gp = runtime::getg();
  unwindstate* state = unwindstate::of(gp);
  bool goexit = state != nullptr && state->goexits > 0 && state->goexitLevel == std::uncaught_exceptions();
  Panic* first = goexit ? nullptr : panicaccess::inFlight();
  runtime::atomic::Xadd(&runtime::runningPanicDefers, 1u);
  struct done {
    ~done() { runtime::atomic::Xadd(&runtime::runningPanicDefers, -1); }
  } guard;
  try {
    call(f);
  } catch (Panic& second) {
    if (first != nullptr)
      panicaccess::replace(first, &second, second.what(), second.value());
    else
      keep(gp, &second, second.what(), CALLER_PC_SP_BP);
  } catch (std::exception& second) {
    if (first != nullptr)
      panicaccess::replace(first, nullptr, second.what(), std::string(second.what()));
    else
      keep(gp, nullptr, second.what(), CALLER_PC_SP_BP);
  } catch (...) {
    if (abi::__cxa_current_exception_type() != nullptr) throw;  // some other type: std::terminate says which
    // The function has called Goexit. That takes the place of what unwinds now, which goes on to the goroutine's end.
    state = unwindstate::need(gp);
    state->swallow = true;
    state->goexits--;
    if (!goexit) state->aborted = true;
  }
}

}  // namespace boot::detail

namespace boot {

Panic::Panic(std::any value, std::string text, render r)
    : value_(std::move(value)), text_(std::move(text)), render_(r) {
  detail::panicaccess::register_(this);
}
Panic::Panic(const Panic& o)
    : std::exception(o),
      value_(o.value_),
      text_(o.text_),
      render_(o.render_),
      chain_(o.chain_),
      recovered_(o.recovered_),
      fault_(o.fault_) {}

const char* Panic::what() const noexcept {
  try {
    return detail::panicaccess::text(*this).c_str();
  } catch (...) {
    return "panic while printing panic value";
  }
}

Panic::~Panic() { detail::panicaccess::unregister(this); }

}  // namespace boot

// ---------------------------------------------------------------------------------------------------------------
// What the runtime panics with
// ---------------------------------------------------------------------------------------------------------------

namespace runtime {

static void panicSignal(g* gp) { boot::detail::panicaccess::resignal(gp); }

[[noreturn]] static void throwRuntimeError(const char* msg, bool signal, uintptr pc, uintptr sp, uintptr bp) {
  g* gp = getg();
  using boot::RuntimeError, boot::detail::panicaccess;
  auto* e = new (abi::__cxa_allocate_exception(sizeof(RuntimeError))) RuntimeError(msg);
  if (signal) {
    panicaccess::setsignal(e, gp);
    hooks.panicSignal = panicSignal;
  }
  gp->sig = 0;
  if (boot::detail::unwinding() > 0) panicaccess::taketrace(e, pc, sp, bp);
  abi::__cxa_throw(e, const_cast<std::type_info*>(&typeid(RuntimeError)),
                   [](void* o) { static_cast<RuntimeError*>(o)->~RuntimeError(); });
}

void panicplain(const char* msg) { throwRuntimeError(msg, false, CALLER_PC_SP_BP); }

// For make_slice (boot/mem.h).
[[noreturn]] void panicmakeslicelen() __asm__("runtime.panicmakeslicelen");
void panicmakeslicelen() { throwRuntimeError("runtime error: makeslice: len out of range", false, CALLER_PC_SP_BP); }

// What a handler's injected call runs: the goroutine throws where it faulted.
void sigpanic() {
  g* gp = getg();
  if (gp->sig == SIGSEGV_ || gp->sig == SIGBUS_) {
    throwRuntimeError("runtime error: invalid memory address or nil pointer dereference", true, CALLER_PC_SP_BP);
  }
  if (gp->sig == SIGFPE_) {
    constexpr uintptr kFpeIntdiv = 1, kFpeIntovf = 2;
    // Go's integer arithmetic finds these without a signal on other machines, so they don't tell theirs.
    if (gp->sigcode0 == kFpeIntdiv) throwRuntimeError("runtime error: integer divide by zero", false, CALLER_PC_SP_BP);
    if (gp->sigcode0 == kFpeIntovf) throwRuntimeError("runtime error: integer overflow", false, CALLER_PC_SP_BP);
    throwRuntimeError("runtime error: floating point error", true, CALLER_PC_SP_BP);
  }
  throwRuntimeError(signame(gp->sig), true, CALLER_PC_SP_BP);
}

}  // namespace runtime
